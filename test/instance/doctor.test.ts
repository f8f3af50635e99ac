import test from 'ava';
import { nodeCheck } from '#src/instance/doctor.js';

test('doctor asks the node that runs', (t) => {
  t.like(nodeCheck({ name: 'a', ready: true }), { status: 'ok', fixes: [] });
  t.like(nodeCheck({ name: 'a', ready: false, problem: 'no network' }), {
    status: 'warning',
    found: 'a is not Ready: no network',
  });
  const pressed = nodeCheck({ name: 'a', ready: true, pressure: ['DiskPressure'] });
  t.is(pressed.status, 'warning');
  t.regex(pressed.found, /DiskPressure/);
  t.true(pressed.fixes.length > 0);
});
