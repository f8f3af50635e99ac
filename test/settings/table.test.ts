import { readFile } from 'node:fs/promises';
import test from 'ava';
import { settingsDocument } from '#src/settings/docs.js';
import { descriptionSchema } from '#src/settings/json-schema.js';
import { settingEntries, table } from '#src/settings/table.js';

for (const [name, entry] of settingEntries) {
  test(`${name}: its entry is complete`, (t) => {
    t.regex(entry.help, /^[a-zA-Z`].*[^.]$/s, 'help is one sentence without its full stop');
    t.notRegex(entry.help, /\n/);
    if (entry.flag !== undefined) t.regex(entry.flag, /^--(no-)?[a-z]+(-[a-z]+)*( <[a-z=]+>)?$/);
    t.is(entry.flag === undefined, entry.verbs === undefined, 'a flag has verbs, and they a flag');
    for (const variable of entry.variables ?? []) t.regex(variable, /^[A-Z0-9_]+$|^[a-z]+_proxy$/);
    if (typeof entry.default === 'function')
      t.is(typeof entry.defaultWords, 'string', 'a default that follows is told in words');
  });
}

test('no flag and no variable belongs to two settings', (t) => {
  const flags = settingEntries.flatMap(([, { flag }]) => flag?.split(' ')[0] ?? []);
  const variables = settingEntries.flatMap(([, entry]) => entry.variables ?? []);
  t.is(new Set(flags).size, flags.length);
  t.is(new Set(variables).size, variables.length);
});

test('what nodes share a node that has joined cannot change', (t) => {
  for (const [name, { shared, memory }] of settingEntries) if (shared) t.is(memory?.worker, 'fixed', name);
});

test('config/settings.schema.json is the schema of the table: npm run docs:settings writes it', async (t) => {
  t.deepEqual(JSON.parse(await readFile('config/settings.schema.json', 'utf8')), descriptionSchema());
});

test('docs/settings.md says what the table says: npm run docs:settings writes it', async (t) => {
  const document = await readFile('docs/settings.md', 'utf8');
  t.is(settingsDocument(document), document);
  t.true(Object.keys(table).every((name) => document.includes(`| \`${name}\` |`)));
});
