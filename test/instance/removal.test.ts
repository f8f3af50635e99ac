import { spawn } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import test from 'ava';
import { removeFailedStart } from '#src/instance/removal.js';
import { clusterPaths } from '#src/settings/paths.js';
import { temporary } from '../temporary.js';

test('a start that failed leaves nothing half-written, not even by a node that is still dying', async (t) => {
  const [home, runtimeDir] = [await temporary(t), await temporary(t)];
  const paths = clusterPaths(
    { home, configHome: home, dataHome: home, stateHome: home, cacheHome: home, runtimeDir },
    'default',
  );
  for (const folder of [paths.etc, paths.pki, paths.rootlesskit, paths.dns])
    await mkdir(folder, { recursive: true });
  await writeFile(`${paths.pki}/.0123456789ab.tmp`, '');
  const node = spawn('sh', ['-c', 'sleep 0.2; touch .ba9876543210.tmp'], { cwd: paths.etc });
  await writeFile(paths.childPid, String(node.pid));
  await removeFailedStart(paths);
  t.deepEqual(await readdir(paths.etc), []);
  t.deepEqual(await readdir(paths.pki), []);
  t.deepEqual(await readdir(paths.runtime), []);
});
