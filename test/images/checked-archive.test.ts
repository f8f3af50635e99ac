import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { Header } from 'tar';
import { checkedArchive, type NodeLimits } from '#src/images/checked-archive.js';
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
async function pass(archive: Buffer, limits: NodeLimits = {}): Promise<{ passed: Buffer; names: string[] }> {
  const pieces = Readable.from(
    Array.from({ length: Math.ceil(archive.length / 1000) }, (_, at) =>
      archive.subarray(at * 1000, (at + 1) * 1000),
    ),
  );
  let names: string[] = [];
  const passed: Buffer[] = [];
  for await (const chunk of checkedArchive(pieces, 'image.tar', (found) => (names = found), limits))
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

/** An archive as docker writes it: an index that names two platforms, and the content of one. */
function ofPlatforms(has: string, lacks: string): Record<string, string> {
  const blob = (content: string) => `blobs/sha256/${sha256(content)}`;
  const descriptor = (content: string) => ({ digest: `sha256:${sha256(content)}` });
  const manifest = JSON.stringify({ config: descriptor(config), layers: [descriptor(layer)] });
  const platform = (architecture: string) => ({ platform: { os: 'linux', architecture } });
  const inner = JSON.stringify({
    manifests: [
      { ...descriptor(manifest), ...platform(has) },
      { ...descriptor('elsewhere'), ...platform(lacks) },
      { ...descriptor('attestation'), platform: { os: 'unknown', architecture: 'unknown' } },
    ],
  });
  return {
    ...Object.fromEntries([layer, config, manifest, inner].map((content) => [blob(content), content])),
    'index.json': JSON.stringify({ manifests: [descriptor(inner)] }),
  };
}

test('an archive that names other platforms without their content passes if it has that of this machine', async (t) => {
  const archive = tarOf(ofPlatforms('amd64', '386'));
  t.deepEqual((await pass(archive, { architecture: 'amd64' })).passed, archive);
});

for (const [has, lacks, said] of [
  ['arm64', 'amd64', /linux\/amd64, but its content is not in it; it has linux\/arm64/],
  ['arm64', 's390x', /has no image for linux\/amd64.*linux\/arm64/],
] as const) {
  test(`an archive that has ${has} and names ${lacks} is refused by amd64`, async (t) => {
    const archive = tarOf(ofPlatforms(has, lacks));
    await t.throwsAsync(pass(archive, { architecture: 'amd64' }), { code: 'image-platform', message: said });
  });
}

for (const compress of [(bytes: Buffer) => bytes, gzipSync]) {
  test(`a layer with files of users that the account has not is refused, ${compress.name || 'plain'}`, async (t) => {
    const header = tarHeader({ path: 'big', type: 'File', mode: 0o644, size: 0 });
    const owned = Buffer.from(header);
    new Header({ path: 'big', type: 'File', mode: 0o644, size: 0, uid: 200_000, mtime: new Date(0) }).encode(
      owned,
      0,
    );
    const content = compress(Buffer.concat([owned, endOfArchive]));
    const archive = Buffer.concat([
      tarHeader({ path: 'layer.tar', type: 'File', mode: 0o644, size: content.length }),
      content,
      tarPadding(content.length),
      endOfArchive,
    ]);
    await t.throwsAsync(pass(archive, { ids: 65_537 }), { code: 'image-ids' });
    t.deepEqual((await pass(archive, { ids: 1_000_000 })).passed, archive);
  });
}
