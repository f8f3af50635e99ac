import test from 'ava';
import { resolveSettings, type SettingsFlags, type Start } from '#src/settings/resolve.js';
import { UsageError } from '#src/lib/errors.js';

const start: Start = { settled: {}, freePort: (field) => Promise.resolve(field === 'apiPort' ? 6444 : 9000) };
const spec = (env: Record<string, string>, flags: SettingsFlags = {}, how: Partial<Start> = {}) =>
  resolveSettings({ env, projectRoot: '.' }, 'default', 'default-containerd', flags, { ...start, ...how });

test('the variables of the second Usernetes mean the same here', async (t) => {
  t.like(
    await spec({
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

test('in a container ports are looked for at the address that listens', async (t) => {
  const env = { HOST_IP: '192.0.2.10', U7S_LISTEN_ADDRESS: '0.0.0.0' };
  const asked: string[] = [];
  const freePort: Start['freePort'] = (_, address) => Promise.resolve(asked.push(address) + 7000);
  t.like(await spec(env, {}, { freePort }), {
    hostIp: '192.0.2.10',
    listenAddress: '0.0.0.0',
    apiAddress: '0.0.0.0',
    publishAddress: '0.0.0.0',
  });
  t.deepEqual(asked, ['0.0.0.0', '0.0.0.0', '0.0.0.0']);
});

test('a base gives all ports, of which one may still be named', async (t) => {
  t.like(await spec({}, { portBase: 7000, kubeletPort: 7100 }), {
    apiPort: 7000,
    kubeletPort: 7100,
    flannelPort: 7002,
    etcdPort: 7003,
  });
});

test('a port that nobody named is looked for, but only where it is published', async (t) => {
  t.like(await spec({}), { apiPort: 6444, kubeletPort: 10250 });
  t.like(await spec({}, { hostIp: '192.0.2.10', apiPort: 6443 }), { apiPort: 6443, kubeletPort: 9000 });
});

test('what an earlier start settled stays, unless one says otherwise', async (t) => {
  const settled = { hostIp: '192.0.2.10', apiPort: 6500, kubeletPort: 10300, flannelPort: 8500 };
  t.like(await spec({}, {}, { settled }), settled);
  t.like(await spec({}, { apiPort: 6501 }, { settled }), { ...settled, apiPort: 6501 });
});

test('what a node has joined with it keeps', async (t) => {
  const settled = {
    nodeName: 'b',
    controlPlane: 'https://192.0.2.10:6443',
    hostIp: '192.0.2.11',
    kubeletPort: 10250,
  };
  t.like(await spec({}, {}, { settled }), settled);
  await t.throwsAsync(spec({ HOST_IP: '192.0.2.12' }, {}, { settled }), {
    instanceOf: UsageError,
    message:
      /has joined https:\/\/192\.0\.2\.10:6443 with hostIp "192\.0\.2\.11", which cannot become "192\.0\.2\.12"/,
  });
});

test('the control plane that is joined decides what all nodes have alike', async (t) => {
  const given = { controlPlane: 'https://192.0.2.10:6443', podCidr: '10.6.0.0/16', flannelPort: 8473 };
  t.like(await spec({ PORT_FLANNEL: '8472' }, {}, { settled: { hostIp: '192.0.2.11' }, given }), given);
});
