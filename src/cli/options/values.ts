import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { artifactNames, type ArtifactName, type GivenPaths } from '../../artifacts/catalog.js';

const longestMs = 24 * 3_600_000;

/** `90s`, `5m`, `1h` or plain seconds, in milliseconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+)(s|m|h)?$/.exec(text) ?? [];
  const milliseconds = Number(amount) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? NaN);
  if (milliseconds > 0 && milliseconds <= longestMs) return milliseconds;
  throw new InvalidArgumentError('Write it as 90s, 5m or 1h, up to 24h.');
}

/** `NAME=PATH`, as often as it is given. */
export function artifactPath(text: string, before: GivenPaths = {}): GivenPaths {
  const [, name = '', path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (path !== undefined && isArtifact(name)) return { ...before, [name]: resolve(path) };
  throw new InvalidArgumentError(`Write it as NAME=PATH, where NAME is one of ${artifactNames.join(', ')}.`);
}

function isArtifact(name: string): name is ArtifactName {
  return artifactNames.some((each) => each === name);
}

export function port(text: string): number {
  const number = parsePort(text);
  if (number === undefined) throw new InvalidArgumentError('It must be a number from 1 to 65535.');
  return number;
}

/** Decimal digits only; undefined for what is not a port. */
export function parsePort(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 65_535 ? number : undefined;
}
