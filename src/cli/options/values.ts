import { InvalidArgumentError } from 'commander';
import { parsePort } from '../../settings/readings.js';

const longestMs = 24 * 3_600_000;

/** `90s`, `5m`, `1h` or plain seconds, in milliseconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+)(s|m|h)?$/.exec(text) ?? [];
  const milliseconds = Number(amount) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? NaN);
  if (milliseconds > 0 && milliseconds <= longestMs) return milliseconds;
  throw new InvalidArgumentError('Write it as 90s, 5m or 1h, up to 24h.');
}

export function port(text: string): number {
  const number = parsePort(text);
  if (number === undefined) throw new InvalidArgumentError('It must be a number from 1 to 65535.');
  return number;
}
