import { readFile } from 'node:fs/promises';
import { errnoOf, U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { InstanceContext } from './context.js';
import type { Timeline } from './timeline/recorder.js';

/** How the last start went. */
export async function timeline({ name, paths }: InstanceContext): Promise<Timeline> {
  try {
    return JSON.parse(await readFile(paths.timeline, 'utf8')) as Timeline;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new U7sError('never-started', `no start of cluster ${name} has been recorded`, {
      fixes: [u7s(['up', '-d'], { text: 'start it' })],
      cause: error,
    });
  }
}
