import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { writeFileAtomic } from '../../lib/atomic-file.js';
import { renderResolvConf, resolvConf, type Resolver } from './resolv-conf.js';

const exec = promisify(execFile);

/** RootlessKit mounts a file of its own there, which could only be overwritten in place, where others read it half-written. */
export async function takeResolvConf(): Promise<void> {
  // It is not mounted where /etc has none.
  await exec('umount', [resolvConf]).catch(() => undefined);
}

/** The node's own, from which the kubelet and engines take what they give to their containers. */
export function writeNodeResolver(resolver: Resolver): Promise<void> {
  return writeFileAtomic(resolvConf, renderResolvConf(resolver), { mode: 0o644, durable: false });
}
