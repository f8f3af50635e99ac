import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { messageOf } from '../lib/errors.js';
import type { Way } from './artifact.js';
import { artifactNames } from './catalog.js';
import { FatalArtifactError } from './errors.js';
import { createLimit } from './limit.js';
import { cannotGet, MissingError } from './missing.js';
import { createSurvey } from './download/network.js';
import { agentFor } from './download/proxy-agent.js';
import { waysOf, type Recipe } from './recipe.js';
import type { ArtifactContext } from './context.js';
import { addNeeds, describeNeeds, requireSpace, type Needs } from './store/space.js';
import type { ResolvedArtifact } from './store/store.js';
import type { Session } from './session.js';
import { takers, type Take } from './take.js';

/**
 * Gets artifacts that are not in the store. Before anything is downloaded or built, each has a way to be got; one error
 * lists those that have none. Then the first failure stops the others; it is thrown when all have cleaned up.
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
    // Where there is no other way, as patient as the download itself.
    survey: createSurvey({ agent, signal, attempts: context.way === 'download' ? 5 : 3 }),
    files: createLimit(4),
    once: createOnce(),
    // Go uses all cores by itself; a second build only helps where there are many.
    builds: createLimit(Math.max(1, Math.floor(cpus().length / 4))),
    note: (text) => {
      if (!notes.has(text)) context.report({ kind: 'note', text });
      notes.add(text);
    },
  };
  // The quick ones first, whatever the caller's order, so that their faults show before Kubernetes is compiled.
  const ordered = artifactNames.flatMap((name) => recipes.filter((recipe) => recipe.name === name));
  const lookups = await Promise.allSettled(ordered.map((recipe) => locate(recipe, session)));
  context.signal.throwIfAborted();
  const located = allFound(lookups);
  await announceDownloads(located, session);
  let failure: unknown;
  const results = await Promise.allSettled(
    located.map(async ({ run }) => {
      try {
        return await run();
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

/**
 * Looks for the first open way to get an artifact; throws when there is none. What it returns goes that way and, when that
 * fails, the next open one.
 */
async function locate(recipe: Recipe, session: Session): Promise<Take> {
  const candidates = waysOf(recipe, session.way);
  const failures: { way: Way; error: unknown }[] = [];

  async function nextOpen(): Promise<{ way: Way; take: Take }> {
    for (const way of candidates.slice(failures.length)) {
      try {
        return { way, take: await takers[way](recipe, session) };
      } catch (error) {
        fail(way, error, () => `${messageOf(error)}: missing artifacts are ${elsewhere[way]}`);
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
  return {
    ...first.take,
    run: async () => {
      for (let { way, take } = first; ; { way, take } = await nextOpen()) {
        try {
          return await take.run();
        } catch (error) {
          fail(way, error, (next) => `${recipe.name}: ${way} failed (${messageOf(error)}), ${instead[next]}`);
        }
      }
    },
  };
}

/** Says how much there is to download, and that there is room for it, before the first byte. */
async function announceDownloads(takes: readonly Take[], session: Session): Promise<void> {
  const alone = takes.flatMap(({ needs, shared }) => (needs && shared === undefined ? [needs] : []));
  const shared = new Map<string, Needs>();
  for (const { needs, shared: name } of takes) if (needs && name !== undefined) shared.set(name, needs);
  const needs = addNeeds([...alone, ...shared.values()]);
  if (needs.files === 0) return;
  await mkdir(session.store, { recursive: true });
  await requireSpace(session.store, needs);
  session.note(describeNeeds(needs));
}

function createOnce(): Session['once'] {
  const begun = new Map<string, Promise<string>>();
  return (name, work) => {
    const result = begun.get(name) ?? work();
    begun.set(name, result);
    return result;
  };
}

/** Throws when one was not found; one error lists all those that have no way. */
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

/** What happens when a way is closed, which is usually so for all artifacts alike. */
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
