import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  forget,
  forgetTried,
  layerOf,
  memoryOf,
  readRemembered,
  remember,
} from '#src/settings/remembered.js';
import { parseSettings } from '#src/settings/schema.js';
import { temporary } from '../temporary.js';

const alone = parseSettings({ nodeName: 'u7s-host', preset: 'default-containerd' });
const made = { preset: 'default-containerd', runtime: 'containerd', kubernetes: true } as const;
const ports = { apiPort: 6443, kubeletPort: 10250, flannelPort: 8472, etcdPort: 2379 };
const dns = { serviceCidr: '10.0.0.0/24', dnsAddress: '10.0.0.53', dnsDomain: 'cluster.local' };

test('a control plane remembers what it is made of, where it is reached and what its data depends on', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  t.is(await readRemembered(file), undefined);
  await remember(file, { ...alone, artifactPaths: { runc: '/opt/runc' } });
  t.deepEqual(await readRemembered(file), {
    ...made,
    artifactPaths: { runc: '/opt/runc' },
    auditLevel: 'metadata',
    nodeName: 'u7s-host',
    nodeLabels: {},
    nodeTaints: [],
    nodeSubnet: '10.0.2.0/24',
    dockerCidr: '10.89.0.0/16',
    podSecurity: 'privileged',
    externalIps: 'denied',
    linkLocal: 'closed',
    without: [],
    addons: [],
    metricsResolution: 15,
    ...dns,
    ...ports,
  });
});

test('the network of pods is remembered once it is divided among several nodes', (t) => {
  t.false('podCidr' in memoryOf(alone));
  t.is(memoryOf(parseSettings({ hostIp: '192.0.2.10' })).podCidr, '10.5.0.0/16');
});

test('without Kubernetes there is no network of Services to remember', (t) => {
  const memory = memoryOf(parseSettings({ runtime: 'docker', kubernetes: false }));
  t.false('serviceCidr' in memory || 'dnsAddress' in memory || 'dnsDomain' in memory);
});

test('a node that has joined another host remembers all that it joined with', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  const worker = parseSettings({
    nodeName: 'second',
    controlPlane: 'https://192.0.2.10:6443',
    hostIp: '192.0.2.11',
    podCidr: '10.6.0.0/16',
    mtu: 1500,
  });
  await remember(file, worker);
  const remembered = await readRemembered(file);
  t.like(remembered, { nodeName: 'second', controlPlane: 'https://192.0.2.10:6443', podCidr: '10.6.0.0/16' });
  t.deepEqual(parseSettings({ nodeName: 'else', ...remembered }), worker);
});

test('the file is laid out as versions before this one wrote and read it', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  const old = { ...made, artifactPaths: {}, settled: { nodeSubnet: '10.0.2.0/24', ...ports } };
  await writeFile(file, JSON.stringify(old));
  t.deepEqual(await readRemembered(file), {
    ...made,
    artifactPaths: {},
    nodeSubnet: '10.0.2.0/24',
    ...ports,
  });
  await remember(file, alone);
  t.like(JSON.parse(await readFile(file, 'utf8')), old);
});

test('what the preset decides is remembered, but does not count for more than the preset', (t) => {
  const layer = layerOf(memoryOf(alone));
  t.is(layer.serviceCidr, '10.0.0.0/24');
  t.false('runtime' in layer || 'kubernetes' in layer);
});

test('what was asked for is remembered, a default that follows from other settings is not', (t) => {
  const asked = {
    mtu: 1500,
    publish: ['127.0.0.1:8080:80/tcp'],
    publishAddress: '0.0.0.0',
    podCidr: '10.6.0.0/16',
    httpsProxy: 'http://proxy.example:3128',
    components: { kubelet: { args: { 'max-pods': '50' } } },
  };
  const memory = memoryOf(parseSettings({ nodeName: 'a', ...asked }));
  t.like(memory, asked);
  t.deepEqual(parseSettings({ ...memory }), parseSettings({ nodeName: 'a', ...asked }));
  t.false('apiAddress' in memory || 'expose' in memory || 'mtu' in memoryOf(alone));
});

test('settings can be forgotten, unless data depends on them', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  await remember(file, parseSettings({ nodeName: 'a', mtu: 1500, hostAccess: [5000] }));
  await forget(file, ['mtu']);
  t.like(await readRemembered(file), { mtu: undefined, hostAccess: [5000], nodeName: 'a' });
  await t.throwsAsync(forget(file, ['serviceCidr']), { code: 'setting-fixed' });
});

test('a start that failed does not make later ones fail', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  const wrong = parseSettings({
    nodeName: 'a',
    mtu: 1500,
    components: { etcd: { args: { nonsense: '1' } } },
  });
  await forgetTried(file, undefined, wrong);
  const first = await readRemembered(file);
  t.like(first, { mtu: 1500, components: undefined });
  await forgetTried(file, first, parseSettings({ nodeName: 'a', mtu: 1400 }));
  t.deepEqual(await readRemembered(file), first);
});

test('a record that cannot be read is reported with what to do', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  await writeFile(file, '{');
  await t.throwsAsync(readRemembered(file), { code: 'state-unreadable', message: /cluster\.json/ });
});
