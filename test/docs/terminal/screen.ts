import xterm, { type IBufferCell } from '@xterm/headless';
import type { Size } from './record.js';

/** Neighbouring characters that look alike. */
export type Run = { column: number; text: string } & Style;

export type Style = {
  /** One of the 16 colours of a terminal; none for the usual one. */
  color?: number;
  bold?: boolean;
  dim?: boolean;
};

/** What stands on a terminal after it was sent these bytes, line by line, from where it began to where it ended. */
export async function screenAfter(bytes: string, { columns, rows }: Size): Promise<Run[][]> {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(bytes, resolve));
  const { active } = terminal.buffer;
  const lines: Run[][] = [];
  for (let y = 0; y < active.length; y++) {
    const line = active.getLine(y);
    const cells = Array.from({ length: columns }, (_, x) => line?.getCell(x));
    lines.push(runsOf(cells));
  }
  terminal.dispose();
  while (lines.at(-1)?.length === 0) lines.pop();
  return lines;
}

function runsOf(cells: readonly (IBufferCell | undefined)[]): Run[] {
  const runs: Run[] = [];
  cells.forEach((cell, column) => {
    const text = cell?.getChars() || ' ';
    const style = cell === undefined ? {} : styleOf(cell);
    const last = runs.at(-1);
    if (last !== undefined && JSON.stringify(style) === JSON.stringify(styleIn(last))) last.text += text;
    else runs.push({ column, text, ...style });
  });
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== '');
}

function styleOf(cell: IBufferCell): Style {
  return {
    ...(cell.isFgPalette() && cell.getFgColor() < 16 ? { color: cell.getFgColor() } : {}),
    ...(cell.isBold() ? { bold: true } : {}),
    ...(cell.isDim() ? { dim: true } : {}),
  };
}

function styleIn({ color, bold, dim }: Run): Style {
  return { ...(color === undefined ? {} : { color }), ...(bold && { bold }), ...(dim && { dim }) };
}
