import { criticalPath, duration, type Timeline } from '../../instance/timeline/recorder.js';

/** A line for each bar, `columns` wide; those of the critical path are filled and marked by a star. */
export function timelineText({ cluster, startedAt, bars }: Timeline, columns: number): string {
  const critical = new Set(criticalPath(bars));
  const total = duration(bars);
  const titleWidth = Math.max(...bars.map(({ title }) => title.length));
  const room = Math.max(10, columns - titleWidth - 14);
  const column = (ms: number): number => Math.round((ms / Math.max(1, total)) * room);
  const lines = bars.map(({ id, title, start, end }) => {
    const isCritical = critical.has(id);
    const from = Math.min(column(start), room - 1);
    const bar = (isCritical ? '█' : '░').repeat(Math.max(1, column(end) - from));
    const mark = isCritical ? '*' : ' ';
    return `${mark} ${title.padEnd(titleWidth)} ${seconds(end - start).padStart(7)}  ${' '.repeat(from)}${bar}`;
  });
  const when = new Date(startedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return [
    `cluster ${cluster}: up in ${seconds(total)}, started ${when}`,
    '',
    ...lines,
    '',
    '* decided how long it took',
    '',
  ].join('\n');
}

/** Milliseconds as `0.42 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
