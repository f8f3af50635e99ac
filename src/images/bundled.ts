import { createHash } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir } from '../lib/atomic-file.js';
import { step, type Report } from '../lib/events.js';
import { withLock } from '../lib/lock-file.js';
import type { ImageSpec } from './oci-layout.js';
import type { Architecture } from '../lib/architecture.js';
import { pauseProgram } from './pause.js';

export type BundledInputs = {
  architecture: Architecture;
  coredns: { binary: string; version: string };
  /** Checks the network, where there may be several nodes. */
  netcheck?: { binary: string; version: string };
  /** Folder that keeps the archives between starts, for all instances of the user. */
  dir: string;
  report: Report;
  signal: AbortSignal;
};

/** `digest` is the manifest's, by which containerd knows whether it has exactly this image. */
export type BundledImage = { reference: string; archive: string; digest: string };

/** Archives of the images without which no pod runs, made from programs that we have, so that no registry is needed. */
export async function bundledImages(
  inputs: BundledInputs,
): Promise<{ pause: BundledImage; coredns: BundledImage; netcheck?: BundledImage }> {
  const { architecture, coredns, netcheck, dir, report, signal } = inputs;
  return step(report, 'images', 'bundled images', async (progress) => {
    await ensureDir(dir);
    const made = [
      await ensureArchive(dir, 'pause', pauseImage(architecture), '', signal),
      await ensureProgram(dir, 'coredns', corednsImage(architecture, coredns), coredns.binary, signal),
      ...(netcheck === undefined
        ? []
        : [
            await ensureProgram(
              dir,
              'netcheck',
              netcheckImage(architecture, netcheck),
              netcheck.binary,
              signal,
            ),
          ]),
    ] as const;
    const count = made.filter((each) => each?.made).length;
    progress(count > 0 ? `${count} made` : 'from cache');
    return {
      pause: made[0].image,
      coredns: made[1].image,
      ...(made[2] === undefined ? {} : { netcheck: made[2].image }),
    };
  });
}

/** The image that checks the network, for a node that runs without it. */
export async function netcheckArchive(
  inputs: Pick<BundledInputs, 'architecture' | 'dir' | 'signal'> & Required<Pick<BundledInputs, 'netcheck'>>,
): Promise<BundledImage> {
  const { architecture, netcheck, dir, signal } = inputs;
  await ensureDir(dir);
  const spec = netcheckImage(architecture, netcheck);
  return (await ensureProgram(dir, 'netcheck', spec, netcheck.binary, signal)).image;
}

/** The image of a program, made unless there is one of exactly this program. */
export async function programImage(
  dir: string,
  name: string,
  spec: ImageSpec,
  binary: string,
  signal: AbortSignal,
): Promise<BundledImage> {
  await ensureDir(dir);
  return (await ensureProgram(dir, name, spec, binary, signal)).image;
}

async function ensureProgram(
  dir: string,
  name: string,
  spec: ImageSpec,
  binary: string,
  signal: AbortSignal,
): Promise<{ image: BundledImage; made: boolean }> {
  return ensureArchive(dir, name, spec, await stampOf(binary), signal);
}

async function stampOf(binary: string): Promise<string> {
  const { size, mtimeMs } = await stat(binary);
  return `${size} ${mtimeMs}`;
}

export const netcheckReference = (version: string): string => `localhost/netcheck:${version}`;

function netcheckImage(
  architecture: Architecture,
  { binary, version }: { binary: string; version: string },
): ImageSpec {
  return {
    reference: netcheckReference(version),
    architecture,
    rootfs: { files: [{ path: '/netcheck', mode: 0o755, content: { fromFile: binary } }] },
    entrypoint: ['/netcheck'],
    user: '65535:65535',
  };
}

function pauseImage(architecture: Architecture): ImageSpec {
  return {
    reference: 'localhost/pause:1',
    architecture,
    rootfs: { files: [{ path: '/pause', mode: 0o755, content: pauseProgram(architecture) }] },
    entrypoint: ['/pause'],
    user: '65535:65535',
  };
}

/** The user is upstream's `nonroot`. It may listen on port 53 where net.ipv4.ip_unprivileged_port_start is 0. */
function corednsImage(architecture: Architecture, { binary, version }: BundledInputs['coredns']): ImageSpec {
  const file = (path: string, text: string) => ({ path, mode: 0o644, content: Buffer.from(text) });
  return {
    reference: `localhost/coredns:${version}`,
    architecture,
    rootfs: {
      files: [
        { path: '/coredns', mode: 0o755, content: { fromFile: binary } },
        file(
          '/etc/passwd',
          'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n',
        ),
        file('/etc/group', 'root:x:0:\nnonroot:x:65532:\n'),
      ],
    },
    entrypoint: ['/coredns'],
    user: '65532:65532',
    workingDir: '/',
  };
}

/** Makes the archive unless one with the same spec and `stamp` exists. Its name contains its digest. Older ones are removed. */
async function ensureArchive(
  dir: string,
  name: string,
  spec: ImageSpec,
  stamp: string,
  signal: AbortSignal,
): Promise<{ image: BundledImage; made: boolean }> {
  const key = createHash('sha256').update(JSON.stringify(spec)).update(stamp).digest('hex').slice(0, 12);
  const { reference } = spec;
  const find = (): Promise<BundledImage | undefined> => findArchive(dir, `${name}-${key}`, reference);
  const present = await find();
  if (present !== undefined) return { image: present, made: false };

  const { writeImage } = await import('./oci-layout.js');
  const ignoreWait = (): void => undefined; // a second or less
  return withLock(join(dir, `.${name}.lock`), signal, ignoreWait, async () => {
    const meanwhile = await find();
    if (meanwhile !== undefined) return { image: meanwhile, made: false };
    const older = (await readdir(dir)).filter((file) => file.startsWith(`${name}-`));
    const unnamed = join(dir, `${name}-${key}.tar`);
    const { digest } = await writeImage(spec, unnamed, signal);
    const archive = join(dir, `${name}-${key}-${digest.replace('sha256:', '')}.tar`);
    await rename(unnamed, archive);
    for (const file of older) await rm(join(dir, file), { force: true });
    return { image: { reference, archive, digest }, made: true };
  });
}

async function findArchive(
  dir: string,
  prefix: string,
  reference: string,
): Promise<BundledImage | undefined> {
  const pattern = new RegExp(`^${prefix}-([0-9a-f]{64})\\.tar$`);
  for (const file of await readdir(dir)) {
    const digest = pattern.exec(file)?.[1];
    if (digest !== undefined) return { reference, archive: join(dir, file), digest: `sha256:${digest}` };
  }
  return undefined;
}
