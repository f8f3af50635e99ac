import { visibleLine } from '../lib/visible.js';

/** A table as kubectl prints it: upper-case headers, columns three spaces apart, no borders, no blanks at line ends. */
export function renderTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headers.map((header) => header.toUpperCase()), ...rows.map((row) => row.map(visibleLine))];
  const widths = headers.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) => widths.map((width, column) => (line[column] ?? '').padEnd(width + 3)).join(''))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
