import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../lib/errors.js';
import { restrictsNamespaces } from './apparmor.js';
import { nearestExisting, type Host } from './host.js';
import type { MapHelper } from './map-helpers.js';
import type { SubIdRange } from './subid.js';

export type TrialUser = { uid: number; gid: number; subUids: SubIdRange[]; subGids: SubIdRange[] };

/** Either why there are no namespaces, or what the script printed. */
export type TrialOutcome = { refused: string } | { refused: undefined; printed: string };

/** Our AppArmor profile names it. */
export const scratchPrefix = '.usernetes-trial-';

/*
 * The first shell starts before IDs are mapped and has no capabilities in the namespace. What it executes as root has them
 * all, unless the host forbids it: then that root may not even mount. Everything ends with the parent, which is the first
 * process of the PID namespace.
 */
const beginning = `echo ready; read -r mapped || exit 1; exec setpriv --pdeathsig KILL sh -c "$2" sh "$1"`;
const mountRun = `mount -t tmpfs none /run || exit 9; echo mounted\n`;

/**
 * Runs a script of sh as root of a user namespace with all of the user's sub-IDs, in new namespaces of every other kind
 * that a node has, with an empty /run. Its `$1` is an empty folder below `directory`. All of it vanishes with the process.
 */
export async function runInNamespaces(
  host: Host,
  user: TrialUser,
  { directory, script, signal }: { directory: string; script: string; signal: AbortSignal },
): Promise<TrialOutcome> {
  // Whether that folder is ours is for another check.
  const parent =
    (await host.closedFolder(directory)) === undefined ? await nearestExisting(directory) : tmpdir();
  const scratch = await mkdtemp(join(parent, scratchPrefix));
  try {
    const unshare = await unshareProgram(host, scratch);
    return await runWith(unshare, scratch, { host, user, script, signal });
  } catch (error) {
    return { refused: signal.aborted ? 'the trial of namespaces took too long' : messageOf(error) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Where AppArmor allows namespaces to certain paths only, a copy at a path that our profile allows. */
async function unshareProgram(host: Host, scratch: string): Promise<string> {
  const unshare = (await host.which('unshare')) ?? 'unshare';
  if (!(await restrictsNamespaces(host))) return unshare;
  const copy = join(scratch, 'unshare');
  await copyFile(unshare, copy);
  return copy;
}

const namespaces = ['--user', '--mount', '--net', '--ipc', '--uts', '--cgroup', '--pid', '--fork'];

async function runWith(
  unshare: string,
  scratch: string,
  { host, user, script, signal }: { host: Host; user: TrialUser; script: string; signal: AbortSignal },
): Promise<TrialOutcome> {
  const child = spawn(
    unshare,
    [...namespaces, '--kill-child', 'sh', '-c', beginning, 'sh', scratch, mountRun + script],
    { env: host.env, signal, killSignal: 'SIGKILL' },
  );
  const exited = once(child, 'close');
  exited.catch(() => undefined); // handled below; until then a failure to spawn must not count as unhandled
  let printed = '';
  let said = '';
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  child.stdin.on('error', () => undefined);

  const ready = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)]);
  if (!ready || child.pid === undefined) return { refused: said.trim() || 'unshare failed' };

  const faults = await Promise.all([
    mapIds(host, 'newuidmap', child.pid, user.uid, user.subUids),
    mapIds(host, 'newgidmap', child.pid, user.gid, user.subGids),
  ]);
  const fault = faults.find((each) => each !== undefined);
  child.stdin.end(fault === undefined ? 'mapped\n' : '');
  await exited;
  if (fault !== undefined) return { refused: fault };
  const [, mounted, rest] = /^ready\n(mounted\n)?([^]*)$/.exec(printed) ?? [];
  return mounted === undefined
    ? { refused: `root of the namespace may not mount: ${said.trim()}` }
    : { refused: undefined, printed: rest ?? '' };
}

/** Maps namespace ID 0 to the user and 1 upwards to the user's ranges. */
async function mapIds(
  host: Host,
  helper: MapHelper,
  pid: number,
  id: number,
  ranges: SubIdRange[],
): Promise<string | undefined> {
  let inside = 1;
  const maps = ranges.flatMap(({ start, count }) => {
    const map = [inside, start, count];
    inside += count;
    return map;
  });
  try {
    const { exitCode, stderr } = await host.run(helper, [pid, 0, id, 1, ...maps].map(String));
    return exitCode === 0 ? undefined : stderr.trim() || `${helper} exited with ${exitCode}`;
  } catch (error) {
    return messageOf(error);
  }
}
