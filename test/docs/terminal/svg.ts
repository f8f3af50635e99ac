import type { Run } from './screen.js';

/** Pixels. The width of a character is what common monospaced fonts have at this size. */
const metrics = { fontSize: 14, charWidth: 8.4, lineHeight: 20, padding: 18, bar: 34 };

/** Readable on a page that is dark and on one that is light, since the window brings its own background. */
const theme = {
  background: '#1b1f27',
  border: '#4a5160',
  foreground: '#dfe3ea',
  dim: '#98a1b0',
  buttons: ['#ec6a5e', '#f4bf4f', '#61c554'],
  /** As terminals number them: black, red, green, yellow, blue, magenta, cyan, white, and the bright ones. */
  palette: [
    ...['#4a5160', '#f07178', '#9fd06f', '#f2c66d', '#7cb7ff', '#d59bf6', '#6fd3d6', '#dfe3ea'],
    ...['#98a1b0', '#ff8b92', '#b5e48c', '#ffd98a', '#9ccaff', '#e3b5ff', '#8fe6e8', '#ffffff'],
  ],
};

/** A window with these lines in it, as an SVG that needs nothing from outside. */
export function renderSvg(lines: readonly (readonly Run[])[], columns: number, title: string): string {
  const { fontSize, charWidth, lineHeight, padding, bar } = metrics;
  const width = Math.ceil(columns * charWidth + 2 * padding);
  const height = bar + lines.length * lineHeight + padding;
  const buttons = theme.buttons.map(
    (color, index) => `  <circle cx="${padding + 6 + index * 20}" cy="${bar / 2}" r="6" fill="${color}"/>`,
  );
  const texts = lines.flatMap((runs, row) =>
    runs.flatMap((run) => words(run).map((word) => `    ${text(word, bar + row * lineHeight + fontSize)}`)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `  <title>${escape(title)}</title>`,
    `  <rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${theme.background}" stroke="${theme.border}"/>`,
    ...buttons,
    `  <g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${fontSize}" fill="${theme.foreground}">`,
    ...texts,
    '  </g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Words are placed one by one, so that columns stay columns whatever font is there. */
function words(run: Run): Run[] {
  return [...run.text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: text, index }) => ({
    ...run,
    column: run.column + index,
    text,
  }));
}

function text({ column, text, color, bold, dim }: Run, y: number): string {
  const { charWidth, padding } = metrics;
  const fill = color === undefined ? (dim ? theme.dim : undefined) : theme.palette[color];
  const attributes = {
    x: round(padding + column * charWidth),
    y,
    textLength: round([...text].length * charWidth),
    ...(fill === undefined ? {} : { fill }),
    ...(bold ? { 'font-weight': 'bold' } : {}),
  };
  const list = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return `<text${list.join('')}>${escape(text)}</text>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
