import test from 'ava';
import type { UsageError } from '#src/lib/errors.js';
import { formatFix } from '#src/lib/fixes.js';
import { fromEnvironment } from '#src/settings/environment.js';

test('the variables of the second Usernetes mean the same here', (t) => {
  t.deepEqual(
    fromEnvironment({
      NODE_NAME: 'u7s-b',
      HOST_IP: '192.0.2.10',
      NODE_SUBNET: '10.100.7.0/24',
      PORT_KUBE_APISERVER: '7443',
      PORT_KUBELET: '7250',
      PORT_FLANNEL: '7472',
      PORT_ETCD: '7379',
    }),
    {
      nodeName: 'u7s-b',
      hostIp: '192.0.2.10',
      nodeSubnet: '10.100.7.0/24',
      apiPort: 7443,
      kubeletPort: 7250,
      flannelPort: 7472,
      etcdPort: 7379,
    },
  );
});

test('our own variables count for more; an empty one is not set', (t) => {
  t.deepEqual(fromEnvironment({ U7S_HOST_IP: '192.0.2.1', HOST_IP: '192.0.2.2', U7S_NODE_NAME: '' }), {
    hostIp: '192.0.2.1',
  });
});

test('a variable of several values holds them all', (t) => {
  t.deepEqual(fromEnvironment({ U7S_ROOTLESSKIT_PORTS: ' 80:80/tcp  443:443/tcp ' }), {
    publish: ['80:80/tcp', '443:443/tcp'],
  });
  t.deepEqual(fromEnvironment({ U7S_ROOTLESSKIT_PORTS: ' ' }), {});
});

test('a base gives all ports, of which one may still be named', (t) => {
  t.deepEqual(fromEnvironment({ U7S_PORT_BASE: '7000', PORT_KUBELET: '7100' }), {
    apiPort: 7000,
    kubeletPort: 7100,
    flannelPort: 7002,
    etcdPort: 7003,
  });
});

const wrong = { U7S_API_PORT: 'x', PORT_ETCD: '70000', U7S_PORT_BASE: '1e3', U7S_ARTIFACTS: 'steal' };
for (const [name, text] of Object.entries(wrong)) {
  test(`${name}=${text} is refused by its name, with what it must be`, (t) => {
    const error = t.throws<UsageError>(() => fromEnvironment({ [name]: text }), { code: 'setting-invalid' });
    t.true(error.message.startsWith(`${name}=${text} is not `));
    t.regex(
      formatFix(error.fixes[0] ?? '', undefined),
      /^set it to (a number from 1 to 65535|one of auto, download)/,
    );
  });
}
