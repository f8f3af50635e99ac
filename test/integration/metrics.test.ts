import test from 'ava';
import { findGo } from '#src/artifacts/build/go.js';
import { ok } from '../e2e/shell.js';

test('build/metrics: its own tests, with real processes in mount namespaces', async (t) => {
  t.timeout(10 * 60_000, 'it has to be compiled');
  const go = await findGo(process.env);
  const output = await ok('sh', ['-c', `cd build/metrics && CGO_ENABLED=0 "${go}" test ./...`]);
  t.regex(output, /^ok\s/m);
});
