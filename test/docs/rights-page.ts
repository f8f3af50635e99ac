import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { identitiesAndRights, type Rights } from './rights.js';

const begin = '<!-- The table is written by `npm run docs:rights`. -->';
const end = '<!-- End of the table. -->';

export const rightsPage = join('docs', 'rights.md');

/** docs/rights.md with the table as manifests and certificates have it now. */
export async function renderRightsPage(root: string): Promise<string> {
  const page = await readFile(join(root, rightsPage), 'utf8');
  const [before, after] = [page.split(begin)[0], page.split(end)[1]];
  if (before === undefined || after === undefined) throw new Error(`${rightsPage} has lost its markers`);
  const table = [
    '| identity | held by | may | by policy |',
    '| --- | --- | --- | --- |',
    ...(await identitiesAndRights(root)).map(row),
  ];
  const text = `${before}${begin}\n\n${table.join('\n')}\n\n${end}${after}`;
  return format(text, { ...(await resolveConfig(join(root, rightsPage))), parser: 'markdown' });
}

function row({ identity, holders, rights, limits }: Rights): string {
  const may = rights.length === 0 ? 'nothing' : rights.join('<br>');
  return `| ${identity} | ${holders.join('<br>')} | ${may} | ${limits.join('<br>')} |`.replace(/\*/g, '\\*');
}

if (process.argv[1] === import.meta.filename) {
  await writeFile(rightsPage, await renderRightsPage('.'));
}
