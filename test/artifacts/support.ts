import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { artifactNames } from '#src/artifacts/catalog.js';
import type { LockEntry } from '#src/artifacts/recipe.js';
import type { ArtifactContext } from '#src/artifacts/context.js';
import type { Event } from '#src/lib/events.js';
import { temporary } from '../temporary.js';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback; its URL. */
export async function serve(t: ExecutionContext, handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An installation whose lock file has just `entries` and whose Go modules are the fixtures. */
export async function createProject(t: ExecutionContext, entries: LockEntry[] = []): Promise<string> {
  const root = await temporary(t);
  await mkdir(join(root, 'config'));
  for (const name of artifactNames) await mkdir(join(root, 'build', name), { recursive: true });
  await writeLock(root, entries);
  for (const name of ['rootlesskit', 'kubernetes']) {
    await cp(join('test/fixtures/artifacts', name), join(root, 'build', name), { recursive: true });
  }
  return root;
}

export async function writeLock(root: string, entries: LockEntry[]): Promise<void> {
  await writeFile(join(root, 'config/artifacts.lock.json'), JSON.stringify({ artifacts: entries }));
}

/** A lock entry of runc, the artifact that is a single file, with this content. */
export function runcEntry(content: string | Uint8Array): LockEntry {
  return {
    name: 'runc',
    version: '1.4.3',
    arch: 'amd64',
    url: 'https://downloads.example/runc.amd64',
    kind: 'binary',
    sha256: sha256(content),
    size: Buffer.byteLength(content),
  };
}

export async function createContext(
  t: ExecutionContext,
  given: Partial<ArtifactContext> & { projectRoot: string },
): Promise<ArtifactContext & { events: Event[] }> {
  const events: Event[] = [];
  const home = await temporary(t);
  return {
    store: join(home, 'artifacts'),
    goCache: join(home, 'go'),
    arch: 'amd64',
    way: 'auto',
    env: {},
    report: (event) => events.push(event),
    signal: new AbortController().signal,
    events,
    ...given,
  };
}

export function notes(events: readonly Event[]): string[] {
  return events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
}

/** Every file below `directory`, as paths relative to it; an absent directory has none. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
