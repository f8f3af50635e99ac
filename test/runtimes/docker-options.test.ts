import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readDockerOptions } from '#src/runtimes/docker-options.js';
import { U7sError } from '#src/lib/errors.js';
import { temporary } from '../temporary.js';

test('what a user sets for dockerd is read', async (t) => {
  const file = join(await temporary(t), 'docker.json');
  await writeFile(file, '{ "registry-mirrors": ["https://mirror.example"] }');
  t.deepEqual(await readDockerOptions(file), { 'registry-mirrors': ['https://mirror.example'] });
});

test('a user who sets nothing needs no file', async (t) => {
  t.deepEqual(await readDockerOptions(join(await temporary(t), 'docker.json')), {});
});

for (const [content, fault] of Object.entries({
  '{': /JSON/,
  '[]': /it is not a JSON object/,
})) {
  test(`${content} is refused, by the name of the file`, async (t) => {
    const file = join(await temporary(t), 'docker.json');
    await writeFile(file, content);
    const { code, message } = await t.throwsAsync(readDockerOptions(file), { instanceOf: U7sError });
    t.is(code, 'setting-invalid');
    t.true(message.startsWith(file));
    t.regex(message, fault);
  });
}
