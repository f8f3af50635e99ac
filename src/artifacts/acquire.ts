import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { step } from '../lib/events.js';
import { allSettled } from '../lib/settled.js';
import { U7sError, fixesOf, messageOf } from '../lib/errors.js';
import { formatFix } from '../lib/fixes.js';
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

/**
 * Gets artifacts that are not in the store. Before anything is downloaded or built there is a way for each of them; all
 * that has none is told at once. Then the first failure stops the others; it is thrown when all have cleaned up.
 */
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
  // The quick ones first, whatever the caller's order: a fault in one of them shows before Kubernetes is compiled.
  const ordered = artifactNames.flatMap((name) => recipes.filter((recipe) => recipe.name === name));
  const lookups = await Promise.allSettled(ordered.map((recipe) => locate(recipe, session)));
  context.signal.throwIfAborted();
  const located = allFound(lookups);
  let failure: unknown;
  const results = await Promise.allSettled(
    located.map(async (obtain) => {
      try {
        return await obtain();
      } catch (error) {
        failure ??= error instanceof MissingError ? cannotGet([error]) : error;
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

/** Gets an artifact on a way that was found open. */
type Take = () => Promise<ResolvedArtifact>;

/**
 * Looks for the first way to an artifact that is open; throws when none is. What it returns goes that way and, when that
 * fails, the next that is open.
 */
async function locate(recipe: Recipe, session: Session): Promise<Take> {
  const candidates = waysOf(recipe, session.way);
  const failures: { way: Way; error: unknown }[] = [];

  async function nextOpen(): Promise<{ way: Way; take: Take }> {
    for (const way of candidates.slice(failures.length)) {
      try {
        return { way, take: await takers[way](recipe, session) };
      } catch (error) {
        fail(way, error, () => `${messageOf(error)}: what is missing is ${elsewhere[way]}`);
      }
    }
    throw new MissingError(recipe, failures);
  }

  function fail(way: Way, error: unknown, note: (next: Way) => string): void {
    session.signal.throwIfAborted();
    if (error instanceof FatalArtifactError) throw error;
    failures.push({ way, error });
    const next = candidates[failures.length];
    if (next) session.note(note(next));
  }

  const first = await nextOpen();
  return async () => {
    for (let { way, take } = first; ; { way, take } = await nextOpen()) {
      try {
        return await take();
      } catch (error) {
        fail(way, error, (next) => `${recipe.name}: ${way} failed (${messageOf(error)}), ${instead[next]}`);
      }
    }
  };
}

/** No way to an artifact is open. */
class MissingError extends Error {
  constructor(
    readonly recipe: Recipe,
    readonly failures: readonly { way: Way; error: unknown }[],
  ) {
    super(failures.map(({ way, error }) => `${way}: ${messageOf(error)}`).join('; '));
  }
}

/** Throws when one was not found; of those that have no way, one error tells all. */
function allFound(lookups: readonly PromiseSettledResult<Take>[]): Take[] {
  const missing: MissingError[] = [];
  const found: Take[] = [];
  for (const lookup of lookups) {
    if (lookup.status === 'fulfilled') found.push(lookup.value);
    else if (lookup.reason instanceof MissingError) missing.push(lookup.reason);
    else throw lookup.reason;
  }
  if (missing.length > 0) throw cannotGet(missing);
  return found;
}

/** Those that the same would help are told together. */
function cannotGet(missing: readonly MissingError[]): U7sError {
  const groups = new Map<string, MissingError[]>();
  for (const each of missing) {
    const fixes = each.failures.flatMap(({ error }) =>
      fixesOf(error).map((fix) => formatFix(fix, undefined)),
    );
    const key = [...fixes.sort(), ''].join('; or ');
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  const causes = [...groups.values()].map((group) => {
    const names = group.map(({ recipe: { name, artifact } }) => `${name} ${artifact.version}`).join(', ');
    return `cannot get ${names}: ${group[0]?.message}`;
  });
  const fixes = [...groups].map(
    ([others, [first]]) => `${others}give one that you have: --artifact ${first?.recipe.name}=PATH`,
  );
  return new U7sError('todo', causes.join('\n  '), { fixes: [fixes.join('\n')], cause: missing[0] });
}

/** For what is missing when a way is closed, which most often is so for all artifacts alike. */
const elsewhere: Readonly<Record<Way, string>> = {
  download: 'built from Go modules or taken from the host',
  build: 'downloaded or taken from the host',
  host: 'downloaded or built',
};

const instead: Readonly<Record<Way, string>> = {
  download: 'downloading it instead',
  build: 'building it instead',
  host: "looking for the host's own instead",
};

/** Each looks whether its way is open, which takes a moment, and throws when it is not. */
const takers: Readonly<Record<Way, (recipe: Recipe, session: Session) => Promise<Take>>> = {
  download: takeDownload,
  build: takeBuild,
  host: takeFromHost,
};

async function takeFromHost(recipe: Recipe, session: Session): Promise<Take> {
  const binaries = await findOnHost(recipe, session.env);
  return async () => {
    const resolved = await place('host', recipe, session, (staging) =>
      linkHost(recipe.name, binaries, staging, session.env),
    );
    session.note(`${recipe.name}: using the host's own, version ${resolved.version}`);
    return resolved;
  };
}

async function takeDownload(recipe: Recipe, session: Session): Promise<Take> {
  const { name, artifact, downloads } = recipe;
  if (downloads.length < artifact.downloads.length) {
    throw new U7sError(
      'todo',
      `config/artifacts.lock.json has no ${name} ${artifact.version} for ${session.arch}`,
    );
  }
  const hosts = new Map(
    downloads.map(({ url }) => [new URL(mirrored(url, session.mirror)).host, mirrored(url, session.mirror)]),
  );
  for (const [host, url] of hosts) {
    const reason = await session.probe(url);
    if (reason !== undefined) {
      throw new U7sError('todo', `${host} cannot be reached (${reason})`, {
        fixes: ['set HTTPS_PROXY, or U7S_MIRROR to a mirror of the downloads'],
      });
    }
  }
  const partials = join(session.store, '.partial');
  return () =>
    step(session.report, `download:${name}`, `download ${name} ${artifact.version}`, (progress) =>
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

async function takeBuild(recipe: Recipe, session: Session): Promise<Take> {
  const { name, artifact } = recipe;
  if (!artifact.build) throw new U7sError('todo', `${name} is not a Go program and cannot be built here`);
  const { version = artifact.version } = artifact.build;
  const go = await findBuildTools(artifact.build, session);
  return () =>
    session.builds(() => {
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
