import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parse } from 'yaml';
import { UsageError, errnoOf, messageOf } from '../lib/errors.js';
import type { SettingsInput } from './schema.js';

/** The settings in a YAML file; their values are checked later. */
export async function readDescription(file: string): Promise<Partial<SettingsInput>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = { ENOENT: 'there is no such file', EACCES: 'permission denied' }[errnoOf(error) ?? ''];
    throw new UsageError(
      'file-unreadable',
      `cannot read the description ${file}: ${why ?? messageOf(error)}`,
      `check the path; ${userInfo().username} reads it in ${process.cwd()}`,
    );
  });
  const wrong = (why: string): UsageError =>
    new UsageError(
      'description-invalid',
      `${file} does not describe a cluster: ${why}`,
      'write it like this: podCidr: 10.88.0.0/16',
    );
  let description: unknown;
  try {
    description = parse(text) ?? {};
  } catch (error) {
    throw wrong(messageOf(error).split('\n')[0]?.replace(/:$/, '') ?? '');
  }
  if (typeof description !== 'object' || description === null || Array.isArray(description)) {
    throw wrong('it is no map of fields');
  }
  return description;
}
