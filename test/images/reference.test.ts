import test from 'ava';
import { parseReference } from '#src/images/reference.js';

const names: Record<string, string> = {
  busybox: 'docker.io/library/busybox:latest',
  'team/app:2': 'docker.io/team/app:2',
  'localhost/pause:1': 'localhost/pause:1',
  'localhost:5000/a/b_c': 'localhost:5000/a/b_c:latest',
  'registry.example.com/app:v1.2-rc.1': 'registry.example.com/app:v1.2-rc.1',
};

for (const [short, long] of Object.entries(names)) {
  test(`${short} means ${long}`, (t) => {
    t.is(parseReference(short).reference, long);
  });
}

for (const wrong of [
  '',
  'Busybox',
  'a b',
  '/a',
  'a/',
  'a:',
  'a:b:c',
  'localhost/Pause',
  'a@sha256:00',
  '-a',
  'a//b',
]) {
  test(`${JSON.stringify(wrong)} is not an image name`, (t) => {
    t.throws(() => parseReference(wrong), { name: 'UsageError' });
  });
}
