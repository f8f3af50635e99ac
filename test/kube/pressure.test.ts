import test from 'ava';
import { keepsPodsAway, pressureFixes, pressures, pressureText } from '#src/kube/pressure.js';

const condition = (type: string, status = 'True') => ({ type, status });

test('a node tells by its conditions what it is short of, the worst first', (t) => {
  const found = pressures([
    condition('MemoryPressure'),
    condition('Ready'),
    condition('PIDPressure', 'False'),
    condition('DiskPressure'),
  ]);
  t.deepEqual(found, ['DiskPressure', 'MemoryPressure']);
  t.deepEqual(pressures(undefined), []);
});

test('each names its consequence and what helps', (t) => {
  for (const pressure of ['DiskPressure', 'PIDPressure', 'MemoryPressure'] as const) {
    t.regex(pressureText(pressure), RegExp(`^${pressure}: .`));
    t.true(pressureFixes(pressure).length > 0);
  }
});

test('the cluster DNS, which has requests, is scheduled under MemoryPressure', (t) => {
  t.true(keepsPodsAway('DiskPressure'));
  t.false(keepsPodsAway('MemoryPressure'));
});
