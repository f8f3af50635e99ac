import { join } from 'node:path';
import { step } from '../lib/events.js';
import { allSettled } from '../lib/settled.js';
import { U7sError } from '../lib/errors.js';
import { buildArtifact, findBuildTools } from './build/build.js';
import type { Way } from './artifact.js';
import { fetchEntry, removeEntry, surveyEntry } from './download/entry.js';
import { unpack } from './store/extract.js';
import { findOnHost, linkHost } from './host.js';
import { install, type Filled } from './store/install.js';
import { createByteCounter, throttle } from './progress.js';
import type { Recipe } from './recipe.js';
import { requireRuns } from './store/runs-here.js';
import type { Session } from './session.js';
import { needsOf, type Needs } from './store/space.js';
import type { ResolvedArtifact } from './store/store.js';
import { openGo } from './build/toolchain.js';

/** Gets an artifact in a way that was found open. `needs` is what it would download, `shared` by name if others do, too. */
export type Take = { needs?: Needs; shared?: string; run: () => Promise<ResolvedArtifact> };

/** Each checks whether its way is open, which takes a moment, and throws when it is not. */
export const takers: Readonly<Record<Way, (recipe: Recipe, session: Session) => Promise<Take>>> = {
  download: takeDownload,
  build: takeBuild,
  host: takeFromHost,
};

async function takeFromHost(recipe: Recipe, session: Session): Promise<Take> {
  const binaries = await findOnHost(recipe, session.env);
  return {
    run: async () => {
      const resolved = await place('host', recipe, session, (staging) =>
        linkHost(recipe.name, binaries, staging, session.env),
      );
      session.note(`${recipe.name}: using the host's own, version ${resolved.version}`);
      return resolved;
    },
  };
}

async function takeDownload(recipe: Recipe, session: Session): Promise<Take> {
  const { name, artifact, downloads } = recipe;
  if (downloads.length < artifact.downloads.length) {
    throw new U7sError(
      'no-download',
      `config/artifacts.lock.json has no ${name} ${artifact.version} for ${session.arch}`,
    );
  }
  const sizes = await Promise.all(downloads.map((entry) => surveyEntry(entry, session)));
  return {
    needs: needsOf(downloads.map((entry, index) => ({ entry, size: sizes[index] }))),
    run: () =>
      step(session.report, `download:${name}`, `download ${name} ${artifact.version}`, (progress) =>
        place('download', recipe, session, (staging) => fillByDownload(recipe, session, staging, progress)),
      ),
  };
}

/** One file that fails keeps the others, for the next time. */
async function fillByDownload(
  { artifact, downloads }: Recipe,
  session: Session,
  staging: string,
  progress: (detail: string, fraction?: number) => void,
): Promise<Filled> {
  const show = createByteCounter(downloads.length, progress);
  const files: (Awaited<ReturnType<typeof fetchEntry>> | undefined)[] = [];
  await allSettled(
    downloads.map(async (entry, index) => {
      files[index] = await fetchEntry(entry, session, (received, total) => show(index, received, total));
    }),
  );
  const bin = join(staging, 'bin');
  for (const [index, entry] of downloads.entries()) {
    const file = files[index];
    if (file === undefined) continue;
    try {
      await unpack(entry, file.path, bin);
    } finally {
      await file.remove();
    }
  }
  await requireRuns(artifact, bin, session.arch, session.env);
  return { version: artifact.version, way: 'download', source: downloads.map(({ url }) => url) };
}

async function takeBuild(recipe: Recipe, session: Session): Promise<Take> {
  const { name, artifact } = recipe;
  if (!artifact.build) throw new U7sError('no-build', `${name} is not a Go program and cannot be built here`);
  const { version = artifact.version } = artifact.build;
  const go = await findBuildTools(artifact.build, session, () => openGo(session));
  return {
    ...(go.needs ? { needs: go.needs, shared: 'go' } : {}),
    run: async () => {
      const path = await go.get();
      return session.builds(() => {
        session.signal.throwIfAborted();
        return step(session.report, `build:${name}`, `build ${name} ${version}`, (progress) =>
          place('build', recipe, session, async (staging) => {
            const filled = await buildArtifact(recipe, path, staging, session, throttle(progress));
            await requireRuns(artifact, join(staging, 'bin'), session.arch, session.env);
            return filled;
          }),
        );
      });
    },
  };
}

async function place(
  way: Way,
  { name, ids, downloads }: Recipe,
  session: Session,
  fill: (staging: string) => Promise<Filled>,
): Promise<ResolvedArtifact> {
  const { store, signal } = session;
  const onWait = (pid: number): void =>
    session.note(`${name}: waiting for process ${pid}, which already gets it`);
  const resolved = await install({ store, name, id: ids[way], signal, onWait }, fill);
  // What a download has left that was given up.
  if (way !== 'download') for (const entry of downloads) await removeEntry(entry, store);
  return resolved;
}
