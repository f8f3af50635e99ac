import { createHash } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { list } from 'tar';

export type Registry = {
  port: number;
  /** Paths that were asked for, with what was answered. */
  asked: string[];
  close(): Promise<void>;
};

type Options = {
  /** `user:password` that it wants. */
  login?: string;
  tls?: { cert: string; key: string };
  port?: number;
};

type Content = { type: string; body: Buffer };

/**
 * A registry on loopback that has the images of archives.
 *
 * @param images by repository and tag, like `team/hello:1`: the archive
 */
export async function startRegistry(
  images: Readonly<Record<string, string>>,
  { login, tls, port = 0 }: Options = {},
): Promise<Registry> {
  const blobs = new Map<string, Content>();
  const tags = new Map<string, string>();
  for (const [name, archive] of Object.entries(images)) {
    const files = await filesOf(archive);
    const index = JSON.parse(String(files.get('index.json'))) as { manifests: { digest: string }[] };
    for (const body of files.values()) blobs.set(digestOf(body), { type: typeOf(body), body });
    tags.set(name, index.manifests[0]?.digest ?? '');
  }
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '', method, headers } = request;
    const found = contentOf(url, blobs, tags);
    const allowed =
      login === undefined || headers.authorization === `Basic ${Buffer.from(login).toString('base64')}`;
    const status = !allowed ? 401 : url === '/v2/' ? 200 : found === undefined ? 404 : 200;
    asked.push(`${status} ${url}`);
    response.statusCode = status;
    if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="test"');
    if (status !== 200 || found === undefined) return void response.end();
    response.setHeader('Content-Type', found.type);
    response.setHeader('Content-Length', found.body.length);
    response.setHeader('Docker-Content-Digest', digestOf(found.body));
    response.end(method === 'HEAD' ? undefined : found.body);
  };
  const server = tls === undefined ? createHttp(answer) : createHttps(tls, answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function contentOf(
  url: string,
  blobs: ReadonlyMap<string, Content>,
  tags: ReadonlyMap<string, string>,
): Content | undefined {
  const [, repository = '', kind, reference = ''] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
  if (kind === 'blobs') return blobs.get(reference);
  const known = [...tags.keys()].some((name) => name.startsWith(`${repository}:`));
  return known ? blobs.get(tags.get(`${repository}:${reference}`) ?? reference) : undefined;
}

async function filesOf(archive: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const ends: Promise<void>[] = [];
  await list({
    file: archive,
    onReadEntry: (entry) => {
      ends.push(entry.concat().then((body) => void files.set(entry.path, body)));
    },
  });
  await Promise.all(ends);
  return files;
}

const digestOf = (body: Buffer): string => `sha256:${createHash('sha256').update(body).digest('hex')}`;

function typeOf(body: Buffer): string {
  if (body[0] !== 0x7b || body.length > 1 << 20) return 'application/octet-stream';
  const { mediaType } = JSON.parse(body.toString()) as { mediaType?: string };
  return mediaType ?? 'application/octet-stream';
}
