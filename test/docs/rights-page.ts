import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTable } from './page-table.js';
import { identitiesAndRights, type Rights } from './rights.js';

export const rightsPage = join('docs', 'rights.md');

/** docs/rights.md with the table as manifests and certificates have it now. */
export async function renderRightsPage(root: string): Promise<string> {
  return renderTable(root, rightsPage, 'docs:rights', [
    '| identity | held by | may | by policy |',
    '| --- | --- | --- | --- |',
    ...(await identitiesAndRights(root)).map(row),
  ]);
}

function row({ identity, holders, rights, limits }: Rights): string {
  const may = rights.length === 0 ? 'nothing' : rights.join('<br>');
  return `| ${identity} | ${holders.join('<br>')} | ${may} | ${limits.join('<br>')} |`.replace(/\*/g, '\\*');
}

if (process.argv[1] === import.meta.filename) {
  await writeFile(rightsPage, await renderRightsPage('.'));
}
