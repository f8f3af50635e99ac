import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalog } from '#src/artifacts/catalog.js';
import { download } from '#src/artifacts/download/download.js';
import { requireSound, unpack } from '#src/artifacts/store/extract.js';
import { agentFor, type AgentFor } from '#src/artifacts/download/proxy-agent.js';
import { readLock, type LockEntry } from '#src/artifacts/recipe.js';
import { requireRuns } from '#src/artifacts/store/runs-here.js';
import { architecture } from '#src/lib/architecture.js';
import { messageOf } from '#src/lib/errors.js';

export type Checked = { entry: LockEntry; size?: number; said?: string; fault?: string };

export type CheckOptions = {
  projectRoot: string;
  mirror?: string | undefined;
  env: Record<string, string | undefined>;
  signal: AbortSignal;
  /** Called as soon as an entry is through. */
  report: (checked: Checked) => void;
};

/**
 * Fetches every file of the lock, for both architectures, checks its sums, unpacks it, and asks the programs for this
 * machine for their version. Those for the other one are only looked at.
 */
export async function checkDownloads(options: CheckOptions): Promise<Checked[]> {
  const { projectRoot, report, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'u7s-check-downloads-'));
  const results: Checked[] = [];
  const agent = agentFor(options.env);
  try {
    for (const entry of readLock(projectRoot)) {
      signal.throwIfAborted();
      const checked = await checkEntry(entry, folder, agent, options).catch((error: unknown) => ({
        entry,
        fault: messageOf(error),
      }));
      results.push(checked);
      report(checked);
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the sizes that were seen into the lock file. */
export async function pinSizes(projectRoot: string, checked: readonly Checked[]): Promise<void> {
  const path = join(projectRoot, 'config', 'artifacts.lock.json');
  const { artifacts } = JSON.parse(await readFile(path, 'utf8')) as { artifacts: LockEntry[] };
  for (const entry of artifacts) {
    const size = checked.find(
      (each) =>
        each.fault === undefined && each.entry.url === entry.url && each.entry.sha256 === entry.sha256,
    )?.size;
    if (size !== undefined) entry.size = size;
  }
  await writeFile(path, `${JSON.stringify({ artifacts }, null, 2)}\n`);
}

async function checkEntry(
  entry: LockEntry,
  folder: string,
  agent: AgentFor,
  options: CheckOptions,
): Promise<Checked> {
  const { mirror, env, signal } = options;
  const path = join(folder, 'download');
  const bin = join(folder, 'bin');
  await rm(bin, { recursive: true, force: true });
  await mkdir(bin);
  try {
    await download(entry, path, { mirror, agent, signal, progress: () => {} });
    const { size } = await stat(path);
    if (entry.size !== undefined && entry.size !== size)
      return { entry, size, fault: `it has ${size} bytes, the lock file says ${entry.size}` };
    if (entry.kind === 'tar.gz' && entry.members === undefined) {
      await requireSound(path);
      return { entry, size };
    }
    await unpack(entry, path, bin);
    return { entry, size, ...(await askPrograms(entry, bin, env)) };
  } finally {
    await rm(path, { force: true });
    await rm(`${path}.validator`, { force: true });
  }
}

async function askPrograms(
  entry: LockEntry,
  bin: string,
  env: CheckOptions['env'],
): Promise<{ said?: string; fault?: string }> {
  const artifact = Object.values(catalog).find(({ downloads }) => downloads.includes(entry.name));
  if (artifact === undefined) return { fault: 'the catalog does not use it' };
  const binaries = (entry.members ?? [entry.name]).map((member) => member.split('/').at(-1) ?? '');
  const answers = await requireRuns({ ...artifact, binaries }, bin, entry.arch, env);
  if (entry.arch !== architecture()) return {};
  const said = [...answers.values()].join('\n');
  const silent = (artifact.versionArgs ?? ['--version']).length === 0;
  if (silent || said.includes(entry.version)) return { said: silent ? 'runs' : entry.version };
  return { fault: `it does not say that it is ${entry.version}: ${said.split('\n')[0]}` };
}
