import { criticalPath, duration, type Timeline } from '../../instance/timeline/recorder.js';
import { seconds } from './text.js';

const [width, margin, labelWidth, timeWidth] = [960, 24, 200, 64];
const [headHeight, rowHeight, barHeight] = [76, 26, 16];
const colours = { critical: '#d9480f', other: '#91a7ff', text: '#212529', quiet: '#868e96', grid: '#e9ecef' };

/** The same as a picture. Nothing in it is loaded from elsewhere. */
export function timelineSvg({ cluster, startedAt, bars }: Timeline): string {
  const critical = new Set(criticalPath(bars));
  const total = duration(bars);
  const [left, right] = [margin + labelWidth, width - margin - timeWidth];
  const x = (ms: number): number => round(left + (ms / Math.max(1, total)) * (right - left));
  const bottom = headHeight + bars.length * rowHeight;
  const height = bottom + 36;

  const grid = ticks(total).flatMap((at) => [
    `<line x1="${x(at)}" y1="${headHeight - 6}" x2="${x(at)}" y2="${bottom}" stroke="${colours.grid}"/>`,
    text(x(at), bottom + 18, `${at / 1000} s`, { fill: colours.quiet, anchor: 'middle' }),
  ]);
  const rows = bars.flatMap(({ id, title, start, end }, index) => {
    const isCritical = critical.has(id);
    const top = headHeight + index * rowHeight;
    const baseline = top + rowHeight / 2 + 4;
    const long = Math.max(2, round(x(end) - x(start)));
    const fill = isCritical ? colours.critical : colours.other;
    return [
      text(left - 12, baseline, title, { anchor: 'end', bold: isCritical }),
      `<rect x="${x(start)}" y="${top + (rowHeight - barHeight) / 2}" width="${long}" height="${barHeight}" rx="3" fill="${fill}"/>`,
      text(round(x(start) + long + 6), baseline, seconds(end - start), { fill: colours.quiet }),
    ];
  });
  const legend = [
    { label: 'decided how long it took', fill: colours.critical, at: left },
    { label: 'ran in parallel', fill: colours.other, at: left + 190 },
  ].flatMap(({ label, fill, at }) => [
    `<rect x="${at}" y="48" width="12" height="12" rx="3" fill="${fill}"/>`,
    text(at + 18, 58, label, { fill: colours.quiet }),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${margin}" y="32" font-size="17" font-weight="600" fill="${colours.text}">cluster ${escaped(cluster)}: up in ${seconds(total)}</text>`,
    text(width - margin, 32, new Date(startedAt).toISOString(), { fill: colours.quiet, anchor: 'end' }),
    ...legend,
    ...grid,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

type TextStyle = { fill?: string; anchor?: 'middle' | 'end'; bold?: boolean };

function text(
  x: number,
  y: number,
  content: string,
  { fill = colours.text, anchor, bold }: TextStyle,
): string {
  const style = `${anchor ? ` text-anchor="${anchor}"` : ''}${bold ? ' font-weight="600"' : ''}`;
  return `<text x="${x}" y="${y}" fill="${fill}"${style}>${escaped(content)}</text>`;
}

/** At most ten of them, at round times. */
function ticks(total: number): number[] {
  const steps = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000];
  const step = steps.find((each) => total / each <= 10) ?? 600_000;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
