import test from 'ava';
import { parseSettings } from '#src/settings/schema.js';

test('a port of the host is refused where the node has one of its own', (t) => {
  for (const port of [6443, 10250, 2380, 10248])
    t.throws(
      () => parseSettings({ nodeName: 'a', hostAccess: [port] }),
      { code: 'setting-invalid' },
      `${port}`,
    );
  t.deepEqual(parseSettings({ nodeName: 'a', hostAccess: [5000] }).hostAccess, [5000]);
});
