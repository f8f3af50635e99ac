import { Parser, type ReadEntry } from 'tar';

type Index = { manifests?: { annotations?: Record<string, string> }[] };
type DockerManifest = { RepoTags?: string[] | null }[];

/** Passes an image archive on unchanged; at its end, calls back with the images' names. */
export async function* noteNames(
  archive: AsyncIterable<Buffer>,
  onEnd: (names: string[]) => void,
): AsyncGenerator<Buffer> {
  const documents = new Map<string, Buffer[]>();
  const parser = new Parser({
    onReadEntry: (entry: ReadEntry) => {
      const path = entry.path.replace(/^\.\//, '');
      if (path === 'index.json' || path === 'manifest.json') {
        const chunks: Buffer[] = [];
        documents.set(path, chunks);
        entry.on('data', (chunk: Buffer) => chunks.push(chunk));
      } else {
        entry.resume();
      }
    },
  });
  for await (const chunk of archive) {
    parser.write(chunk);
    yield chunk;
  }
  parser.end();
  const read = (name: string): unknown =>
    JSON.parse(Buffer.concat(documents.get(name) ?? []).toString() || 'null');
  onEnd(namesOf(read('index.json') as Index | null, read('manifest.json') as DockerManifest | null));
}

function namesOf(index: Index | null, docker: DockerManifest | null): string[] {
  const tags = docker?.flatMap(({ RepoTags }) => RepoTags ?? []) ?? [];
  const annotated =
    index?.manifests?.flatMap(({ annotations }) => annotations?.['io.containerd.image.name'] ?? []) ?? [];
  return [...new Set([...annotated, ...tags])];
}
