import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTable } from './page-table.js';
import { collectErrorCodes, type ErrorCode } from './error-codes.js';

const mostMessages = 4;

export const errorsPage = join('docs', 'errors.md');

/** docs/errors.md with the table as the source has it now. */
export async function renderErrorsPage(root: string): Promise<string> {
  return renderTable(root, errorsPage, 'docs:errors', [
    '| code | exit | messages |',
    '| --- | --- | --- |',
    ...collectErrorCodes(join(root, 'src')).map(row),
  ]);
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
