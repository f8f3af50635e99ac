import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { collectErrorCodes, type ErrorCode } from './error-codes.js';

const begin = '<!-- The table is written by `npm run docs:errors`. -->';
const end = '<!-- End of the table. -->';
const mostMessages = 4;

export const errorsPage = join('docs', 'errors.md');

/** docs/errors.md with the table as the source has it now. */
export async function renderErrorsPage(root: string): Promise<string> {
  const page = await readFile(join(root, errorsPage), 'utf8');
  const [before, after] = [page.split(begin)[0], page.split(end)[1]];
  if (before === undefined || after === undefined) throw new Error(`${errorsPage} has lost its markers`);
  const table = [
    '| code | exit | messages |',
    '| --- | --- | --- |',
    ...collectErrorCodes(join(root, 'src')).map(row),
  ];
  const text = `${before}${begin}\n\n${table.join('\n')}\n\n${end}${after}`;
  return format(text, { ...(await resolveConfig(join(root, errorsPage))), parser: 'markdown' });
}

function row({ code, endings, messages }: ErrorCode): string {
  const told = [...messages].sort((a, b) => a.length - b.length).map(cell);
  const shown = told.length > mostMessages ? [...told.slice(0, mostMessages), '…'] : told;
  return `| \`${code}\` | ${[...endings].sort().join(', ')} | ${shown.join('<br>')} |`;
}

/** One line of a table's cell, in which Markdown means nothing. */
function cell(message: string): string {
  return message
    .replace(/\s*\n\s*/g, ' ')
    .replace(/…(\s?…)+/g, '…')
    .replace(/[|<>*_`[\]\\]/g, '\\$&');
}

if (process.argv[1] === import.meta.filename) {
  await writeFile(errorsPage, await renderErrorsPage('.'));
}
