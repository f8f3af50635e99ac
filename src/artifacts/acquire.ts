import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { step } from '../lib/events.js';
import { allSettled } from '../lib/settled.js';
import { messageOf, U7sError } from '../lib/errors.js';
import { buildArtifact, findBuildTools } from './build.js';
import { artifactNames, type Way } from './catalog.js';
import { download, mirrored, removePartial } from './download.js';
import { FatalArtifactError } from './errors.js';
import { unpack } from './extract.js';
import { findOnHost, linkHost } from './host.js';
import { install, type Filled } from './install.js';
import { createLimit, type Limit } from './limit.js';
import { createProbe, type Probe } from './network.js';
import { createByteCounter, throttle } from './progress.js';
import { agentFor } from './proxy-agent.js';
import { waysOf, type Recipe } from './recipe.js';
import type { ArtifactContext } from './resolve.js';
import type { ResolvedArtifact } from './store.js';

/** What the artifacts of one run share. */
type Session = ArtifactContext & {
  agent: ReturnType<typeof agentFor>;
  probe: Probe;
  files: Limit;
  builds: Limit;
  /** A note that several artifacts have reason to give is given once. */
  note: (text: string) => void;
};

/** Gets artifacts that are not in the store. The first failure stops the others; it is thrown when all have cleaned up. */
export async function acquireAll(
  recipes: readonly Recipe[],
  context: ArtifactContext,
): Promise<ResolvedArtifact[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const agent = agentFor(context.env);
  const notes = new Set<string>();
  const session: Session = {
    ...context,
    signal,
    agent,
    probe: createProbe(agent, signal),
    files: createLimit(4),
    // Go fills the cores by itself; a second build only helps where there are many.
    builds: createLimit(Math.max(1, Math.floor(cpus().length / 4))),
    note: (text) => {
      if (!notes.has(text)) context.report({ kind: 'note', text });
      notes.add(text);
    },
  };
  let failure: unknown;
  // The quick ones first, whatever the caller's order: a fault in one of them shows before Kubernetes is compiled.
  const ordered = artifactNames.flatMap((name) => recipes.filter((recipe) => recipe.name === name));
  const results = await Promise.allSettled(
    ordered.map(async (recipe) => {
      try {
        return await acquire(recipe, session);
      } catch (error) {
        failure ??= error;
        stop.abort(error);
        throw error;
      }
    }),
  );
  context.signal.throwIfAborted();
  return results.map((result) => {
    if (result.status === 'rejected') throw failure;
    return result.value;
  });
}

async function acquire(recipe: Recipe, session: Session): Promise<ResolvedArtifact> {
  const { name, artifact } = recipe;
  const failures: { way: Way; error: unknown }[] = [];
  const candidates = waysOf(recipe, session.way);
  for (const [index, way] of candidates.entries()) {
    try {
      return await take(way, recipe, session);
    } catch (error) {
      session.signal.throwIfAborted();
      if (error instanceof FatalArtifactError) throw error;
      failures.push({ way, error });
      const next = candidates[index + 1];
      if (next) session.note(insteadOf(name, way, error, next));
    }
  }
  const fixes = [
    ...failures.flatMap(({ error }) => (error instanceof U7sError && error.fix ? [error.fix] : [])),
    `give one that you have: --artifact ${name}=PATH`,
  ];
  throw new U7sError(
    `cannot get ${name} ${artifact.version}: ${failures.map(({ way, error }) => `${way}: ${messageOf(error)}`).join('; ')}`,
    { fix: fixes.join('; or '), cause: failures.at(-1)?.error },
  );
}

class UnreachableError extends U7sError {}

function insteadOf(name: string, way: Way, error: unknown, next: Way): string {
  if (error instanceof UnreachableError) {
    return `${error.message}: what is missing is built from Go modules or taken from the host`;
  }
  const instead = next === 'build' ? 'building it instead' : "looking for the host's own instead";
  return `${name}: ${way} failed (${messageOf(error)}), ${instead}`;
}

async function take(way: Way, recipe: Recipe, session: Session): Promise<ResolvedArtifact> {
  switch (way) {
    case 'download':
      return takeDownload(recipe, session);
    case 'build':
      return takeBuild(recipe, session);
    case 'host': {
      const binaries = await findOnHost(recipe, session.env);
      const resolved = await place('host', recipe, session, (staging) =>
        linkHost(recipe.name, binaries, staging, session.env),
      );
      session.note(`${recipe.name}: using the host's own, version ${resolved.version}`);
      return resolved;
    }
  }
}

async function takeDownload(recipe: Recipe, session: Session): Promise<ResolvedArtifact> {
  const { name, artifact, downloads } = recipe;
  if (downloads.length < artifact.downloads.length) {
    throw new U7sError(`config/artifacts.lock.json has no ${name} ${artifact.version} for ${session.arch}`);
  }
  const hosts = new Map(
    downloads.map(({ url }) => [new URL(mirrored(url, session.mirror)).host, mirrored(url, session.mirror)]),
  );
  for (const [host, url] of hosts) {
    const reason = await session.probe(url);
    if (reason !== undefined) {
      throw new UnreachableError(`${host} cannot be reached (${reason})`, {
        fix: 'set HTTPS_PROXY, or U7S_MIRROR to a mirror of the downloads',
      });
    }
  }
  const partials = join(session.store, '.partial');
  return step(session.report, `download:${name}`, `download ${name} ${artifact.version}`, (progress) =>
    place('download', recipe, session, async (staging) => {
      await mkdir(partials, { recursive: true, mode: 0o700 });
      const show = createByteCounter(downloads.length, progress);
      await allSettled(
        downloads.map((entry, index) =>
          session.files(async () => {
            const partial = join(
              partials,
              `${(entry.sha256 ?? entry.sha512 ?? '').slice(0, 12)}-${basename(entry.url)}`,
            );
            await download(entry, partial, {
              ...session,
              progress: (received, total) => show(index, received, total),
            });
            try {
              await unpack(entry, partial, join(staging, 'bin'));
            } finally {
              await removePartial(partial);
            }
          }),
        ),
      );
      return { version: artifact.version, way: 'download', source: downloads.map(({ url }) => url) };
    }),
  );
}

async function takeBuild(recipe: Recipe, session: Session): Promise<ResolvedArtifact> {
  const { name, artifact } = recipe;
  if (!artifact.build) throw new U7sError(`${name} is not a Go program and cannot be built here`);
  const { version = artifact.version } = artifact.build;
  const go = await findBuildTools(artifact.build, session);
  return session.builds(() => {
    session.signal.throwIfAborted();
    return step(session.report, `build:${name}`, `build ${name} ${version}`, (progress) =>
      place('build', recipe, session, (staging) =>
        buildArtifact(recipe, go, staging, session, throttle(progress)),
      ),
    );
  });
}

async function place(
  way: Way,
  { name, ids }: Recipe,
  session: Session,
  fill: (staging: string) => Promise<Filled>,
): Promise<ResolvedArtifact> {
  const { store, signal } = session;
  const onWait = (pid: number): void =>
    session.note(`${name}: waiting for process ${pid}, which is getting it`);
  return install({ store, name, id: ids[way], signal, onWait }, fill);
}
