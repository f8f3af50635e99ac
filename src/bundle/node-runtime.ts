import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import { hashFile } from '../artifacts/download/checksum.js';
import { architecture, type Architecture } from '../lib/architecture.js';
import { messageOf, U7sError } from '../lib/errors.js';
import type { Report } from '../lib/events.js';
import { runOk } from '../lib/exec.js';
import { exists } from '../lib/exists.js';

/** A line of config/node.lock. */
export type NodeRelease = { version: string; npmName: string; integrity: string };

export type NodeRuntime = { version: string; binary: string; licence?: string };

export type NodeRuntimeContext = {
  projectRoot: string;
  /** Folder that keeps what was fetched. */
  cache: string;
  arch: Architecture;
  /** Whether to take the Node.js that runs this. */
  atHand: boolean;
  env: Record<string, string | undefined>;
  report: Report;
  signal: AbortSignal;
};

export async function readNodeLock(projectRoot: string, arch: Architecture): Promise<NodeRelease> {
  const text = await readFile(join(projectRoot, 'config/node.lock'), 'utf8');
  const line = text.split('\n').find((each) => each.split(' ')[1] === arch && !each.startsWith('#'));
  const [version = '', , name = '', , integrity = ''] = line?.split(' ') ?? [];
  if (line === undefined) throw new U7sError('no-download', `config/node.lock has no Node.js for ${arch}`);
  return { version, npmName: `node-linux-${name}`, integrity };
}

/** The pinned Node.js, got by npm from its registry and checked; else, for this processor, the one that runs this. */
export async function nodeRuntime(context: NodeRuntimeContext): Promise<NodeRuntime> {
  const { projectRoot, arch, atHand, report, signal } = context;
  const release = await readNodeLock(projectRoot, arch);
  if (!atHand) {
    const own = join(projectRoot, 'node');
    if (arch === architecture() && (await exists(join(own, 'bin/node'))))
      return { version: process.versions.node, binary: join(own, 'bin/node'), licence: join(own, 'LICENSE') };
    try {
      return await pinned(release, context);
    } catch (error) {
      signal.throwIfAborted();
      if (arch !== architecture()) throw error;
      report({ kind: 'note', text: `bundling the Node.js at hand, ${process.version}: ${messageOf(error)}` });
    }
  }
  if (arch !== architecture())
    throw new U7sError('bundle-node', `the Node.js at hand is not for ${arch}`, {
      fixes: ['have npm reach its registry, and let it get the pinned one'],
    });
  return { version: process.versions.node, binary: process.execPath };
}

async function pinned(release: NodeRelease, context: NodeRuntimeContext): Promise<NodeRuntime> {
  const { version, npmName, integrity } = release;
  const { cache, env, signal, report } = context;
  const folder = join(cache, `${npmName}-${version}`);
  const found = { version, binary: join(folder, 'bin/node'), licence: join(folder, 'LICENSE') };
  if (await exists(found.binary)) return found;
  report({ kind: 'note', text: `getting Node.js ${version}` });
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'new-'));
  try {
    const options = { cwd: staging, env, signal };
    const said = await runOk('npm', ['pack', '--json', `${npmName}@${version}`], options);
    const [{ filename = '' } = {}] = JSON.parse(said) as { filename?: string }[];
    const archive = join(staging, filename);
    const sum = Buffer.from(await hashFile(archive, 'sha512'), 'hex');
    if (`sha512-${sum.toString('base64')}` !== integrity)
      throw new U7sError('checksum-mismatch', `${npmName} ${version} is not what config/node.lock pins`);
    const unpacked = join(staging, 'unpacked');
    await mkdir(unpacked);
    const wanted = new Set(['package/bin/node', 'package/LICENSE']);
    await extract({ file: archive, cwd: unpacked, strip: 1, filter: (path) => wanted.has(path) });
    await rm(folder, { recursive: true, force: true });
    await rename(unpacked, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return found;
}
