import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { resolveSettings } from '#src/settings/resolve.js';
import type { Settings } from '#src/settings/schema.js';
import { temporary } from '../temporary.js';

type Paths = Settings['artifactPaths'];

async function pathsOf(t: ExecutionContext, given: { remembered?: Paths; flag?: Paths }): Promise<Paths> {
  const config = join(await temporary(t), 'cluster.yaml');
  await writeFile(config, 'artifactPaths: { crio: /file/crio }\n');
  const where = { env: {}, projectRoot: process.cwd() };
  const flags = { config, ...(given.flag ? { artifact: given.flag } : {}) };
  const start = {
    settled: {},
    freePort: () => Promise.resolve(6443),
    ...(given.remembered === undefined ? {} : { artifactPaths: given.remembered }),
  };
  return (await resolveSettings(where, 'default', 'default-crio', flags, start)).artifactPaths;
}

test('an artifact given by path is remembered until another is given, by file or by flag', async (t) => {
  const remembered = { crio: '/before/crio', conmon: '/before/conmon' };
  t.deepEqual(await pathsOf(t, { remembered }), { crio: '/file/crio', conmon: '/before/conmon' });
  t.deepEqual(await pathsOf(t, { remembered, flag: { conmon: '/flag/conmon' } }), {
    crio: '/file/crio',
    conmon: '/flag/conmon',
  });
  t.deepEqual(await pathsOf(t, {}), { crio: '/file/crio' });
});
