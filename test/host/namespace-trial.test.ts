import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { tryNamespace } from '#src/host/namespace-trial.js';
import { temporary } from '../temporary.js';
import { fakeHost, preparedContext } from './fake-host.js';

test('a namespace that takes too long to make is reported as such', async (t) => {
  const folder = await temporary(t);
  const unshare = join(folder, 'unshare');
  await writeFile(unshare, '#!/bin/sh\nexec sleep 1000\n');
  await chmod(unshare, 0o755);
  const host = { ...fakeHost(), which: () => Promise.resolve(unshare) };
  const trial = await tryNamespace(host, preparedContext().user, folder, AbortSignal.timeout(50));
  t.is(trial.refused, 'the trial of namespaces took too long');
});
