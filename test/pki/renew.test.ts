import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { certificateTable } from '#src/pki/certificates.js';
import { readPair } from '#src/pki/inspect.js';
import { renewLeaves } from '#src/pki/renew.js';
import { ensurePki } from '#src/pki/rotate.js';
import { temporary } from '../temporary.js';
import { putShortLived } from './short-lived.js';

const table = certificateTable({
  nodeName: 'node1',
  nodeAddress: '10.0.2.100',
  serviceAddress: '10.0.0.1',
  dnsDomain: 'cluster.local',
  apiAddress: '127.0.0.1',
});
const specOf = (wanted: string) => {
  const spec = table.find(({ name }) => name === wanted);
  if (spec === undefined) throw new Error(`no certificate ${wanted}`);
  return spec;
};

async function freshPki(t: ExecutionContext): Promise<string> {
  const dir = join(await temporary(t), 'pki');
  await ensurePki(dir, table);
  return dir;
}

test('what is not due stays', async (t) => {
  const dir = await freshPki(t);
  await putShortLived(dir, specOf('kubelet'), { endsInMs: 60_000, dueInMs: 30_000 });
  const before = await readPair(dir, 'kubelet');
  t.deepEqual(await renewLeaves(dir, table), []);
  t.deepEqual(await readPair(dir, 'kubelet'), before);
});

test('what is due is made anew by its own authority, and is fit then', async (t) => {
  const dir = await freshPki(t);
  for (const name of ['kubelet', 'kubelet-server', 'etcd-server'])
    await putShortLived(dir, specOf(name), { endsInMs: 60_000, dueInMs: -1_000 });
  t.deepEqual((await renewLeaves(dir, table)).sort(), ['etcd-server', 'kubelet', 'kubelet-server']);
  t.deepEqual(await renewLeaves(dir, table), []);
  t.deepEqual(await ensurePki(dir, table), { created: [], renewed: [] }, 'a start agrees');
});

test('an authority that is gone is never made anew while the cluster runs', async (t) => {
  for (const gone of [['ca.crt', 'ca.key'], ['ca.key']]) {
    const dir = await freshPki(t);
    for (const file of gone) await rm(join(dir, file));
    await t.throwsAsync(renewLeaves(dir, table), { code: 'pki-damaged' });
    t.is((await readPair(dir, 'ca')).keyPem, undefined);
  }
});
