/** Writes the table of docs/settings.md: npm run docs:settings. */
import { readFile, writeFile } from 'node:fs/promises';
import { settingsDocument } from '#src/settings/docs.js';

const file = 'docs/settings.md';
await writeFile(file, settingsDocument(await readFile(file, 'utf8')));
