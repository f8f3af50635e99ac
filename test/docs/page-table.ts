import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

/** A page of docs/ with `lines`, a table in Markdown, between its markers; `script` is the npm script that writes it. */
export async function renderTable(
  root: string,
  page: string,
  script: string,
  lines: readonly string[],
): Promise<string> {
  const begin = `<!-- The table is written by \`npm run ${script}\`. -->`;
  const end = '<!-- End of the table. -->';
  const text = await readFile(join(root, page), 'utf8');
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  if (before === undefined || after === undefined) throw new Error(`${page} has lost its markers`);
  const filled = `${before}${begin}\n\n${lines.join('\n')}\n\n${end}${after}`;
  return format(filled, { ...(await resolveConfig(join(root, page))), parser: 'markdown' });
}
