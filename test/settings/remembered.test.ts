import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readRemembered, refuseSwitch, remember } from '#src/settings/remembered.js';
import { parseSettings } from '#src/settings/schema.js';
import { temporary } from '../temporary.js';

const containerd = parseSettings({ nodeName: 'u7s-host', preset: 'default-containerd' });

test('a cluster remembers what it is', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  t.is(await readRemembered(file), undefined);
  await remember(file, { ...containerd, artifactPaths: { runc: '/opt/runc' } });
  t.deepEqual(await readRemembered(file), {
    preset: 'default-containerd',
    runtime: 'containerd',
    kubernetes: true,
    artifactPaths: { runc: '/opt/runc' },
    settled: {
      nodeSubnet: '10.0.2.0/24',
      apiPort: 6443,
      kubeletPort: 10250,
      flannelPort: 8472,
      etcdPort: 2379,
    },
  });
});

test('a node that has joined another host remembers all that it joined with', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  const worker = parseSettings({
    nodeName: 'second',
    controlPlane: 'https://192.0.2.10:6443',
    hostIp: '192.0.2.11',
    podCidr: '10.6.0.0/16',
  });
  await remember(file, worker);
  const { settled } = (await readRemembered(file)) ?? {};
  t.like(settled, { nodeName: 'second', controlPlane: 'https://192.0.2.10:6443', podCidr: '10.6.0.0/16' });
  t.deepEqual(parseSettings({ nodeName: 'else', ...settled }), worker);
});

test('a record that cannot be read is told with what to do', async (t) => {
  const file = join(await temporary(t), 'cluster.json');
  await writeFile(file, '{');
  await t.throwsAsync(readRemembered(file), {
    name: 'U7sError',
    message: /cannot be read from .*cluster\.json/,
  });
});

test('its data is not handed to another kind of cluster: the two ways out are named', (t) => {
  t.notThrows(() => refuseSwitch(containerd, undefined));
  t.notThrows(() => refuseSwitch({ ...containerd, podCidr: '10.89.0.0/16' }, containerd));
  const other = { ...containerd, preset: 'default-docker-nokube', kubernetes: false };
  t.like(
    t.throws(() => refuseSwitch(other, containerd)),
    {
      message:
        'cluster default was made as default-containerd; with its data it cannot become default-docker-nokube',
      fix: 'start another cluster beside it: ./run.sh --cluster NAME default-docker-nokube\nor give up its data: u7s reset',
    },
  );
});
