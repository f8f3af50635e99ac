/** klog, as Kubernetes' components write it: severity, month and day, local time to the microsecond; no year. */
const klog = /^[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,6})/;
/** Of JSON (etcd, the audit log), of logfmt (containerd, RootlessKit), or at the beginning (our launcher). */
const rfc3339 =
  /^(?:\{.*?"(?:ts|time|stageTimestamp)":"|time="|)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))/;

/** When a line says that it was written, in milliseconds since the epoch, with fractions; undefined when it doesn't say. */
export function lineTime(line: string, now: Date): number | undefined {
  const short = klog.exec(line);
  if (short !== null) return klogTime(short, now);
  const time = Date.parse(rfc3339.exec(line)?.[1] ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function klogTime(fields: RegExpExecArray, now: Date): number {
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.slice(1, 6).map(Number);
  const inYear = (year: number): number => new Date(year, month - 1, day, hour, minute, second).getTime();
  const thisYear = inYear(now.getFullYear());
  // A log is never from the future: December's lines that are read in January are last year's.
  const whole = thisYear > now.getTime() + 24 * 3_600_000 ? inYear(now.getFullYear() - 1) : thisYear;
  return whole + Number(`0.${fields[6]}`) * 1_000;
}

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `1h30m`, `2d` before `now`, or a time by itself, in milliseconds since the epoch; undefined for anything else. */
export function parseSince(text: string, now: Date): number | undefined {
  if (/^(\d+[smhd])+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+)([smhd])/g)];
    const ago = parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0);
    return now.getTime() - ago;
  }
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
