import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { ArtifactContext } from '#src/artifacts/context.js';
import { ensureArtifacts } from '#src/artifacts/resolve.js';
import { installLauncher } from '#src/cli/as-root/launcher-copy.js';
import { clusterPaths, type Paths } from '#src/settings/paths.js';
import { artifactsOf, type Artifacts } from '#src/plan/artifacts.js';
import { asUser, findAccount, preparedAccount, requireReachable } from '#src/host/account.js';
import { resolveUserDirs } from '#src/host/user-dirs.js';

export type Invocation = { command: string; args: string[]; env: Record<string, string | undefined> };

/** The ordinary user whose clusters are measured: whoever runs the bench, or for root the prepared user. */
export type Owner = {
  /** How to run words as that user; for root by setpriv, which costs about a millisecond. */
  invoke: (words: readonly string[]) => Invocation;
  /** `node …/bin/u7s.js` from an installation that the user can read. */
  u7s: string[];
  paths: (cluster: string) => Paths;
};

export const projectRoot = resolve(import.meta.dirname, '../..');

/** Of the checkout `root`. Root has it copied to the folder of `cluster`, since each keeps the newest copy alone. */
export async function findOwner(root = projectRoot, cluster?: string): Promise<Owner> {
  const isRoot = process.getuid?.() === 0;
  const account = isRoot ? await preparedAccount(process.env) : await findAccount(userInfo().username);
  if (account === undefined) throw new Error('this user has no passwd entry');
  const invoke = (words: readonly string[]): Invocation => {
    if (isRoot) return asUser(account, words, process.env);
    const [command = '', ...args] = words;
    return { command, args, env: process.env };
  };
  const dirs = await resolveUserDirs(invoke(['true']).env, account.uid);
  const paths = (cluster: string): Paths => clusterPaths(dirs, cluster);
  const copies = cluster === undefined ? paths('bench').launchers : join(paths(cluster).state, 'launcher');
  const installation = isRoot
    ? await installLauncher(root, copies, invoke, () => requireReachable(account, process.execPath))
    : root;
  return { invoke, u7s: [process.execPath, join(installation, 'bin/u7s.js')], paths };
}

/** Runs `words` as the owner to their end; throws when they fail. */
export async function asOwner(owner: Owner, words: readonly string[], input?: Buffer): Promise<string> {
  const { command, args, env } = owner.invoke(words);
  const { stdout } = await execa(command, args, {
    env,
    extendEnv: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  return stdout;
}

/** The owner's binaries, which have to be there: what is measured is a start, not a build. */
export async function installedArtifacts(owner: Owner): Promise<Artifacts> {
  await asOwner(owner, [...owner.u7s, 'artifacts', 'fetch', '--preset', 'default-containerd']);
  const paths = owner.paths('bench');
  const context: ArtifactContext = {
    store: paths.artifacts,
    goCache: paths.goCache,
    projectRoot,
    arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
    way: 'auto',
    env: process.env,
    report: () => undefined,
    signal: AbortSignal.timeout(60_000),
  };
  return ensureArtifacts(
    artifactsOf({ runtime: 'containerd', kubernetes: true, severalNodes: false }),
    context,
  );
}

/** Load averages of the last minute and the last five. */
export const load = (): string =>
  loadavg()
    .slice(0, 2)
    .map((value) => value.toFixed(1))
    .join(' ');

export async function describeMachine(): Promise<string> {
  const osRelease = await readFile('/etc/os-release', 'utf8');
  const system = /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1] ?? 'unknown system';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const processor = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`;
  return `${processor}, ${memory}, Linux ${release()}, ${system}, Node.js ${process.versions.node}, load ${load()}`;
}
