import { userInfo } from 'node:os';
import { ensureDir } from '../../lib/atomic-file.js';
import { U7sError, errnoOf, messageOf } from '../../lib/errors.js';
import type { Paths } from '../../settings/paths.js';
import { sweep } from '../removal.js';

/** The folder of what exists only while the instance runs, the start lock among it. */
export async function makeRuntimeFolder({ runtime }: Paths): Promise<void> {
  await makeFolder(runtime);
}

/** Every folder that a start writes to, without what writers that were killed have left in them. */
export async function makeFolders(paths: Paths): Promise<void> {
  const { state, runtime, logs, etc, pki, etcd, images } = paths;
  for (const folder of [state, runtime, logs, etc, pki, etcd, images]) await makeFolder(folder);
  await sweep(paths);
}

/** Says it in other words than the kernel's when a folder is not ours to write. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await ensureDir(folder);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
    throw new U7sError(
      'not-writable',
      `this user cannot write to the folder ${folder}: ${messageOf(error)}`,
      {
        fixes: [`as root: chown -R ${userInfo().username} ${folder}, or move it out of the way`],
        cause: error,
      },
    );
  }
}
