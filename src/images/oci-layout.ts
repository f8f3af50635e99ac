import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { U7sError, errnoOf } from '../lib/errors.js';
import type { Architecture } from '../lib/architecture.js';
import { parseReference } from './reference.js';
import { layerOf, type Rootfs } from './rootfs.js';
import { blockSize, endOfArchive, tarHeader, tarPadding } from './tar-entries.js';

export type ImageSpec = {
  /** The name it gets when it is loaded, for example `localhost/pause:1`. */
  reference: string;
  architecture: Architecture;
  rootfs: Rootfs;
  entrypoint?: string[];
  cmd?: string[];
  env?: Record<string, string>;
  /** `uid[:gid]` or names of the image's /etc/passwd and /etc/group. */
  user?: string;
  workingDir?: string;
  labels?: Record<string, string>;
};

type Descriptor = { mediaType: string; digest: string; size: number };
type Blob = { descriptor: Descriptor; content: Buffer };

const oci = 'application/vnd.oci.image';

/**
 * Writes an image of one uncompressed layer, which is the quickest to import. The archive is an OCI image layout that also
 * has a docker archive's manifest.json, for docker and skopeo. Equal specs give equal bytes.
 *
 * @param outFile is replaced in one step
 * @returns the manifest's digest, and the full reference
 */
export async function writeImage(
  spec: ImageSpec,
  outFile: string,
  signal: AbortSignal,
): Promise<{ digest: string; reference: string }> {
  const { reference, tag } = parseReference(spec.reference);
  const temporary = `${outFile}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const layer = await writeLayer(temporary, spec.rootfs, signal);
    const config = jsonBlob(`${oci}.config.v1+json`, imageConfig(spec, layer));
    const manifest = jsonBlob(`${oci}.manifest.v1+json`, {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: config.descriptor,
      layers: [layer],
    });
    const index = {
      schemaVersion: 2,
      mediaType: `${oci}.index.v1+json`,
      manifests: [
        {
          ...manifest.descriptor,
          platform: { architecture: spec.architecture, os: 'linux' },
          annotations: { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': tag },
        },
      ],
    };
    const dockerManifest = [
      { Config: blobPath(config.descriptor), RepoTags: [reference], Layers: [blobPath(layer)] },
    ];
    const rest = Buffer.concat([
      tarPadding(layer.size),
      tarFile(blobPath(config.descriptor), config.content),
      tarFile(blobPath(manifest.descriptor), manifest.content),
      tarFile('index.json', json(index)),
      tarFile('manifest.json', json(dockerManifest)),
      tarFile('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
      endOfArchive,
    ]);
    const end = blockSize + layer.size;
    await pipeline([rest], createWriteStream(temporary, { flags: 'r+', start: end }), { signal });
    await rename(temporary, outFile);
    return { digest: manifest.descriptor.digest, reference };
  } catch (error) {
    await rm(temporary, { force: true });
    const { path, syscall } = error as NodeJS.ErrnoException;
    if (path !== temporary && syscall !== 'write') throw error;
    throw new U7sError('not-writable', `cannot write ${outFile} (${errnoOf(error)})`, { cause: error });
  }
}

/** The layer comes first in the archive. Its header, which needs its digest and size, is written afterwards. */
async function writeLayer(file: string, rootfs: Rootfs, signal: AbortSignal): Promise<Descriptor> {
  const hash = createHash('sha256');
  let size = 0;
  async function* measured() {
    for await (const chunk of layerOf(rootfs)) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  await pipeline(measured, createWriteStream(file, { flags: 'wx', start: blockSize }), { signal });
  const descriptor = { mediaType: `${oci}.layer.v1.tar`, digest: `sha256:${hash.digest('hex')}`, size };
  const header = tarHeader({ path: blobPath(descriptor), type: 'File', mode: 0o644, size });
  await pipeline([header], createWriteStream(file, { flags: 'r+' }), { signal });
  return descriptor;
}

function imageConfig(spec: ImageSpec, layer: Descriptor): object {
  return {
    created: new Date(0).toISOString(),
    architecture: spec.architecture,
    os: 'linux',
    config: {
      User: spec.user,
      Env: spec.env && Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
      Entrypoint: spec.entrypoint,
      Cmd: spec.cmd,
      WorkingDir: spec.workingDir,
      Labels: spec.labels,
    },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created: new Date(0).toISOString(), created_by: 'u7s image build-from' }],
  };
}

function jsonBlob(mediaType: string, value: object): Blob {
  const content = json(value);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { descriptor: { mediaType, digest, size: content.length }, content };
}

function tarFile(path: string, content: Buffer): Buffer {
  const size = content.length;
  return Buffer.concat([tarHeader({ path, type: 'File', mode: 0o644, size }), content, tarPadding(size)]);
}

const blobPath = ({ digest }: Descriptor): string => `blobs/${digest.replace(':', '/')}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
