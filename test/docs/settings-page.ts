/** Writes the table of docs/settings.md and the schema of descriptions: `npm run docs:settings`. */
import { readFile, writeFile } from 'node:fs/promises';
import { settingsDocument } from '#src/settings/docs.js';
import { descriptionSchema } from '#src/settings/json-schema.js';

const file = 'docs/settings.md';
await writeFile(file, settingsDocument(await readFile(file, 'utf8')));
await writeFile('config/settings.schema.json', `${JSON.stringify(descriptionSchema(), null, 2)}\n`);
