import { readFile } from 'node:fs/promises';
import test from 'ava';
import { errorsPage, renderErrorsPage } from './errors-page.js';

test('the page on errors has every code of the source: npm run docs:errors', async (t) => {
  t.is(await readFile(errorsPage, 'utf8'), await renderErrorsPage('.'));
});
