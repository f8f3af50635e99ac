import test from 'ava';
import { artifactsOf } from '#src/plan/artifacts.js';
import { builtInPorts } from '#src/plan/built-in-ports.js';
import { parseSettings, type SettingsInput } from '#src/settings/schema.js';
import { formatPortSpec } from '#src/rootless/port-spec.js';

const ports = (input: Partial<SettingsInput>): string[] =>
  builtInPorts(parseSettings({ nodeName: 'a', ...input })).map(({ spec }) => formatPortSpec(spec));

test('a node alone has its API on loopback and nothing else', (t) => {
  t.deepEqual(ports({}), ['127.0.0.1:6443:6443/tcp']);
});

test('a control plane is reached at the address for others only', (t) => {
  t.deepEqual(ports({ hostIp: '192.0.2.10', kubeletPort: 10251 }), [
    '192.0.2.10:6443:10.0.2.100:6443/tcp',
    '192.0.2.10:10251:10.0.2.100:10251/tcp',
    '192.0.2.10:8472:10.0.2.100:8472/udp',
  ]);
});

test('an address for the API alone comes beside the one for other nodes', (t) => {
  const both = ports({ hostIp: '192.0.2.10', apiAddress: '127.0.0.1' });
  t.deepEqual(both.slice(0, 2), [
    '127.0.0.1:6443:10.0.2.100:6443/tcp',
    '192.0.2.10:6443:10.0.2.100:6443/tcp',
  ]);
  t.deepEqual(ports({ hostIp: '192.0.2.10', apiAddress: '0.0.0.0' })[0], '0.0.0.0:6443:10.0.2.100:6443/tcp');
});

test('in a container they listen where the engine leads to', (t) => {
  t.deepEqual(ports({ hostIp: '192.0.2.10', listenAddress: '0.0.0.0' }), [
    '0.0.0.0:6443:10.0.2.100:6443/tcp',
    '0.0.0.0:10250:10.0.2.100:10250/tcp',
    '0.0.0.0:8472:10.0.2.100:8472/udp',
  ]);
  t.deepEqual(ports({ listenAddress: '0.0.0.0' }), ['0.0.0.0:6443:6443/tcp']);
});

test('a port that the description publishes as well is left to it', (t) => {
  t.deepEqual(ports({ publish: ['0.0.0.0:6443:6443/tcp'] }), []);
  t.deepEqual(ports({ listenAddress: '0.0.0.0', publish: ['0.0.0.0:6443:6443/tcp'] }), []);
  const others = ['127.0.0.1:7443:6443/tcp', '192.0.2.10:6443:6443/tcp', '0.0.0.0:6443:80/tcp'];
  for (const other of others) t.deepEqual(ports({ publish: [other] }), ['127.0.0.1:6443:6443/tcp'], other);
});

const worker = { hostIp: '192.0.2.11', controlPlane: 'https://192.0.2.10:6443' };

test('a node that has joined another publishes its kubelet and its network', (t) => {
  t.deepEqual(ports({ ...worker, nodeSubnet: '10.100.7.0/24' }), [
    '192.0.2.11:10250:10.100.7.100:10250/tcp',
    '192.0.2.11:8472:10.100.7.100:8472/udp',
  ]);
});

test('it needs no etcd, but Flannel', (t) => {
  const names = artifactsOf(parseSettings({ nodeName: 'a', ...worker }));
  t.false(names.includes('etcd'));
  t.true(names.includes('flannel'));
  t.false(artifactsOf(parseSettings({ nodeName: 'a' })).includes('flannel'));
});
