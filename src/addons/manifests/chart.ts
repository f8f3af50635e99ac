import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { messageOf, U7sError } from '../../lib/errors.js';
import { nearest } from '../../lib/nearest.js';

/** Files with this ending name a chart; others are manifests. */
export const chartEnding = '.chart.yaml';

/** A chart that a file of the folder asks for. */
export type Chart = {
  file: string;
  /** Of the release. */
  name: string;
  namespace: string;
  /** Path of an archive or a folder, or `oci://…`. */
  chart: string;
  version?: string;
  values: object;
  /** Changes with anything that the release is made of. */
  fingerprint: string;
};

const fields = ['chart', 'name', 'namespace', 'version', 'values'] as const;

/** Reads a file such as `{ chart: ./web-1.0.0.tgz, namespace: web, values: { replicas: 2 } }`. */
export async function readChart(file: string, text: string): Promise<Chart> {
  const { parse } = await import('yaml');
  let given: unknown;
  try {
    given = parse(text);
  } catch (error) {
    throw broken(messageOf(error).split('\n')[0] ?? '', undefined, error);
  }
  if (typeof given !== 'object' || given === null) throw broken('it names no chart');
  const unknown = Object.keys(given).find((key) => !fields.some((field) => field === key));
  if (unknown !== undefined) throw broken(`there is no field ${unknown}`, nearest(unknown, fields));
  const { chart, name, namespace = 'default', version, values = {} } = given as Record<string, unknown>;
  const release = name ?? basename(file, chartEnding);
  if (typeof chart !== 'string' || chart.startsWith('-')) throw broken('chart must be a path or oci://…');
  if (!isName(release) || !isName(namespace))
    throw broken('name and namespace must be lower-case letters, digits and dashes');
  if (version !== undefined && (typeof version !== 'string' || version.startsWith('-')))
    throw broken('version must be a text, such as "1.2.3"');
  if (typeof values !== 'object' || values === null) throw broken('values must be a map');
  const source = /^oci:\/\//.test(chart) || isAbsolute(chart) ? chart : resolve(dirname(file), chart);
  const made = { file, name: release, namespace, chart: source, values };
  const look = source.startsWith('oci://') ? '' : await looksOf(source);
  const hash = createHash('sha256').update(JSON.stringify([text, look]));
  return {
    ...made,
    ...(version === undefined ? {} : { version }),
    fingerprint: hash.digest('hex').slice(0, 16),
  };
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/.test(value);

function broken(message: string, near?: string, cause?: unknown): U7sError {
  return new U7sError('manifest-invalid', message, {
    fixes: [near === undefined ? `it may have ${fields.join(', ')}` : `did you mean ${near}?`],
    cause,
  });
}

/** Sizes and times of an archive, or of everything in a folder. */
async function looksOf(path: string): Promise<string[]> {
  const look = await lstat(path).catch(() => undefined);
  if (look === undefined) return ['missing'];
  if (!look.isDirectory()) return [`${path} ${look.size} ${look.mtimeMs}`];
  const below = (await readdir(path)).sort().map((name) => looksOf(join(path, name)));
  return (await Promise.all(below)).flat();
}

/** Arguments that install a chart or bring it up to date; its values come from stdin, since they may be secret. */
export function upgradeArgs({ name, chart, namespace, version }: Chart): string[] {
  return [
    ...['upgrade', '--install', name, chart, '--namespace', namespace, '--create-namespace'],
    ...['--values', '-', '--labels', 'usernetes=manifests'],
    ...(version === undefined ? [] : ['--version', version]),
  ];
}

export function uninstallArgs({ name, namespace }: Pick<Chart, 'name' | 'namespace'>): string[] {
  return ['uninstall', name, '--namespace', namespace, '--ignore-not-found'];
}
