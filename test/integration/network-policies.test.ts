import test from 'ava';
import { findGo } from '#src/artifacts/build/go.js';
import { ok } from '../e2e/shell.js';

test('build/network-policies: its own tests, of what policies allow', async (t) => {
  t.timeout(10 * 60_000, 'it has to be compiled');
  const go = await findGo(process.env);
  const output = await ok('sh', ['-c', `cd build/network-policies && CGO_ENABLED=0 "${go}" test ./...`]);
  t.regex(output, /^ok\s/m);
});
