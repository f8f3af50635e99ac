import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { architecture, type Architecture } from '../../lib/architecture.js';
import { run, type RunResult } from '../../lib/exec.js';
import { errnoOf, messageOf, U7sError } from '../../lib/errors.js';
import type { Artifact } from '../artifact.js';
import { machineOf } from '../download/nature.js';

type Env = Record<string, string | undefined>;

/** ELF's numbers. */
const machines: Readonly<Record<Architecture, number>> = { amd64: 62, arm64: 183 };

/** A program that takes longer to say its version is slow, not broken. */
const patienceMs = 20_000;

/**
 * Asks each program of an artifact in `bin` for its version, as far as they are for this machine. Throws when one cannot be
 * executed here: another C library, a file system without executables, a processor that lacks something.
 *
 * @returns what each has said
 */
export async function requireRuns(
  { binaries, versionArgs, versionArgsOf = {} }: Artifact,
  bin: string,
  arch: Architecture,
  env: Env,
): Promise<Map<string, string>> {
  const said = new Map<string, string>();
  const scratch = await mkdtemp(join(tmpdir(), 'u7s-version-'));
  try {
    await Promise.all(
      binaries.map(async (program) => {
        const path = join(bin, program);
        const machine = await machineOf(path);
        if (machine !== undefined && machine !== machines[arch])
          throw cannotRun(program, `it is for another processor than ${arch}`);
        if (arch !== architecture()) return;
        const args = versionArgsOf[program] ?? versionArgs ?? ['--version'];
        said.set(program, await askVersion(program, path, args, { ...env, XDG_RUNTIME_DIR: scratch }));
      }),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return said;
}

async function askVersion(program: string, path: string, args: readonly string[], env: Env): Promise<string> {
  const limit = AbortSignal.timeout(patienceMs);
  let result: RunResult;
  try {
    result = await run(path, args, { env, cwd: '/', signal: limit });
  } catch (error) {
    if (limit.aborted) return '';
    throw cannotRun(program, reasonOf(error), error);
  }
  const { exitCode, stdout, stderr } = result;
  // A shell that was to run what is no program, and a dynamic loader that lacks a library.
  if (exitCode !== 126 && exitCode !== 127) return `${stdout}\n${stderr}`.trim();
  throw cannotRun(program, stderr.trim().split('\n')[0] || `exit code ${exitCode}`);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  switch (errnoOf(cause)) {
    case 'EACCES':
    case 'EPERM':
      return 'its file system does not allow programs (noexec), or a security policy forbids it';
    case 'ENOENT':
      return 'it wants a dynamic loader (glibc) that this host does not have';
    case 'ENOEXEC':
      return 'it is no program for this machine';
    default:
      return messageOf(error).replace(/^cannot run \S+: /, '');
  }
}

function cannotRun(program: string, reason: string, cause?: unknown): U7sError {
  return new U7sError('not-executable', `${program} does not run here: ${reason}`, {
    fixes: reason.includes('noexec')
      ? ['set XDG_DATA_HOME to a folder on a file system where programs run']
      : [],
    cause,
  });
}
