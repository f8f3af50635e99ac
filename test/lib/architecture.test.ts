import test from 'ava';
import { architecture } from '#src/lib/architecture.js';

test('the processor goes by the name that Go and image registries use', (t) => {
  t.is(architecture('x64'), 'amd64');
  t.is(architecture('arm64'), 'arm64');
});

test('no other processor is supported', (t) => {
  t.throws(() => architecture('riscv64'), { code: 'architecture-unsupported' });
});
