import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import type { EngineOptions } from './runtime.js';

const options = z.record(z.string(), z.unknown());

/** In the folder of what users set for container runtimes. */
export const dockerOptionsFile = (folder: string): string => join(folder, 'docker.json');

/** What a user sets for dockerd in `file`, in the words of daemon.json; nothing where there is no such file. */
export async function readDockerOptions(file: string): Promise<EngineOptions> {
  try {
    return options.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {};
    const fault = error instanceof z.ZodError ? 'it is not a JSON object' : messageOf(error);
    throw new U7sError('setting-invalid', `${file} cannot be used: ${fault}`, {
      fixes: [
        'correct it: its fields are those of daemon.json, https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file',
      ],
      cause: error,
    });
  }
}
