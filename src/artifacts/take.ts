import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { step } from '../lib/events.js';
import { allSettled } from '../lib/settled.js';
import { U7sError } from '../lib/errors.js';
import { buildArtifact, findBuildTools } from './build.js';
import type { Way } from './artifact.js';
import { download, mirrored, removePartial } from './download.js';
import { unpack } from './extract.js';
import { findOnHost, linkHost } from './host.js';
import { install, type Filled } from './install.js';
import type { Limit } from './limit.js';
import type { Probe } from './network.js';
import { createByteCounter, throttle } from './progress.js';
import type { agentFor } from './proxy-agent.js';
import type { Recipe } from './recipe.js';
import type { ArtifactContext } from './context.js';
import type { ResolvedArtifact } from './store.js';

/** What all artifacts of one run share. */
export type Session = ArtifactContext & {
  agent: ReturnType<typeof agentFor>;
  probe: Probe;
  files: Limit;
  builds: Limit;
  /** Reports a note once, however many artifacts have reason for it. */
  note: (text: string) => void;
};

/** Gets an artifact in a way that was found open. */
export type Take = () => Promise<ResolvedArtifact>;

/** Each checks whether its way is open, which takes a moment, and throws when it is not. */
export const takers: Readonly<Record<Way, (recipe: Recipe, session: Session) => Promise<Take>>> = {
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
      'no-download',
      `config/artifacts.lock.json has no ${name} ${artifact.version} for ${session.arch}`,
    );
  }
  const hosts = new Map(
    downloads.map(({ url }) => [new URL(mirrored(url, session.mirror)).host, mirrored(url, session.mirror)]),
  );
  for (const [host, url] of hosts) {
    const reason = await session.probe(url);
    if (reason !== undefined) {
      throw new U7sError('download-unreachable', `${host} cannot be reached (${reason})`, {
        fixes: ['set HTTPS_PROXY to your proxy', 'set U7S_MIRROR to a mirror of the downloads'],
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
  if (!artifact.build) throw new U7sError('no-build', `${name} is not a Go program and cannot be built here`);
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
    session.note(`${name}: waiting for process ${pid}, which already gets it`);
  return install({ store, name, id: ids[way], signal, onWait }, fill);
}
