import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readDockerOptions } from '#src/runtimes/docker-options.js';
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
  '{': /cannot be used: .*JSON/,
  '[]': /it is not a JSON object/,
})) {
  test(`${content} is refused, by the name of the file`, async (t) => {
    const file = join(await temporary(t), 'docker.json');
    await writeFile(file, content);
    const { message } = await t.throwsAsync(readDockerOptions(file));
    t.true(message.startsWith(file));
    t.regex(message, fault);
  });
}
