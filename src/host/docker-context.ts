import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { errnoOf } from '../lib/errors.js';

/** `DOCKER_CONFIG`, or docker's default below `home`. */
export function dockerConfigFolder(env: Record<string, string | undefined>, home: string): string {
  return env['DOCKER_CONFIG'] || join(home, '.docker');
}

type Meta = {
  Name: string;
  Metadata: object;
  Endpoints: { docker?: { Host: string; SkipTLSVerify: boolean } };
};

/**
 * Creates the docker context `name`, as `docker context create` does (docker/cli's context store: a folder named by the
 * digest of the context's name). A context of that name that points elsewhere stays. Returns whether it is ours.
 */
export async function publishContext(folder: string, name: string, socket: string): Promise<boolean> {
  const host = `unix://${socket}`;
  const present = await readContext(folder, name);
  if (present !== undefined) return present.Endpoints.docker?.Host === host;
  const meta: Meta = {
    Name: name,
    Metadata: { Description: 'dockerd of Usernetes' },
    Endpoints: { docker: { Host: host, SkipTLSVerify: false } },
  };
  await mkdir(join(folder, contextFolder(name)), { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(folder, contextFolder(name), 'meta.json'), JSON.stringify(meta), {
    mode: 0o644,
  });
  return true;
}

/** Removes the context if `publishContext` made it, and also makes it no longer the client's current one. */
export async function withdrawContext(folder: string, name: string, socket: string): Promise<void> {
  const present = await readContext(folder, name);
  if (present?.Endpoints.docker?.Host !== `unix://${socket}`) return;
  await rm(join(folder, contextFolder(name)), { recursive: true, force: true });
  for (const parent of ['contexts/meta', 'contexts', '']) {
    if (!(await removeIfEmpty(join(folder, parent)))) break;
  }
  const file = join(folder, 'config.json');
  const config = (await readJson(file)) as { currentContext?: string } | undefined;
  if (config?.currentContext !== name) return;
  const { currentContext: _, ...rest } = config;
  await writeFileAtomic(file, `${JSON.stringify(rest, null, '\t')}\n`);
}

function contextFolder(name: string): string {
  return join('contexts', 'meta', createHash('sha256').update(name).digest('hex'));
}

async function readContext(folder: string, name: string): Promise<Meta | undefined> {
  return (await readJson(join(folder, contextFolder(name), 'meta.json'))) as Meta | undefined;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}
