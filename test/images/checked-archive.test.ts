import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import test from 'ava';
import { checkedArchive } from '#src/images/checked-archive.js';
import { endOfArchive, tarHeader, tarPadding } from '#src/images/tar-entries.js';

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

function tarOf(files: Record<string, string>): Buffer {
  const entries = Object.entries(files).flatMap(([path, content]) => {
    const size = Buffer.byteLength(content);
    const header = tarHeader({ path, type: 'File', mode: 0o644, size });
    return [header, Buffer.from(content), tarPadding(size)];
  });
  return Buffer.concat([...entries, endOfArchive]);
}

/** What is passed on, and the names; in small pieces, as from a pipe. */
async function pass(archive: Buffer): Promise<{ passed: Buffer; names: string[] }> {
  const pieces = Readable.from(
    Array.from({ length: Math.ceil(archive.length / 1000) }, (_, at) =>
      archive.subarray(at * 1000, (at + 1) * 1000),
    ),
  );
  let names: string[] = [];
  const passed: Buffer[] = [];
  for await (const chunk of checkedArchive(pieces, 'image.tar', (found) => (names = found)))
    passed.push(chunk);
  return { passed: Buffer.concat(passed), names };
}

const layer = `a layer ${'x'.repeat(200_000)}`;
const config = JSON.stringify({ rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] } });

function ofDocker(content = layer, configuration = config, named = sha256(config)): Record<string, string> {
  return {
    'layer.tar': content,
    [`${named}.json`]: configuration,
    'manifest.json': JSON.stringify([
      { Config: `${named}.json`, RepoTags: ['localhost/a:1'], Layers: ['layer.tar'] },
    ]),
  };
}

function layout({ without }: { without?: string } = {}): Record<string, string> {
  const blob = (content: string) => `blobs/sha256/${sha256(content)}`;
  const descriptor = (content: string) => ({ digest: `sha256:${sha256(content)}` });
  const manifest = JSON.stringify({ config: descriptor(config), layers: [descriptor(layer)] });
  const annotations = { 'io.containerd.image.name': 'localhost/a:1' };
  // The second is of another platform, which the archive does not have.
  const manifests = [{ ...descriptor(manifest), annotations }, descriptor('elsewhere')];
  const blobs = [layer, config, manifest].filter((content) => content !== without);
  return {
    ...Object.fromEntries(blobs.map((content) => [blob(content), content])),
    'index.json': JSON.stringify({ manifests }),
  };
}

for (const [what, files] of Object.entries({ 'docker save': ofDocker(), 'an OCI layout': layout() })) {
  test(`${what}: a sound archive passes unchanged, and its names are told`, async (t) => {
    const archive = tarOf(files);
    const { passed, names } = await pass(archive);
    t.true(passed.equals(archive));
    t.deepEqual(names, ['localhost/a:1']);
  });
}

const swapped = layout();
swapped[`blobs/sha256/${sha256(layer)}`] = layer.replace('a layer', 'another');

const damaged: Record<string, Record<string, string>> = {
  'a layer with another content than its digest': swapped,
  'a layer that is missing': layout({ without: layer }),
  'a layer that the configuration does not name': ofDocker(layer.replace('a layer', 'another')),
  'a configuration with another content than its name': ofDocker(
    layer,
    config.replace('layers', 'spoofed'),
    sha256(config),
  ),
  'a configuration of more layers than there are': ofDocker(
    layer,
    JSON.stringify({ rootfs: { diff_ids: ['sha256:1', 'sha256:2'] } }),
    'config',
  ),
};
for (const [what, files] of Object.entries(damaged)) {
  test(`refused before its end is passed on: ${what}`, async (t) => {
    await t.throwsAsync(pass(tarOf(files)), { code: 'archive-invalid' });
  });
}
