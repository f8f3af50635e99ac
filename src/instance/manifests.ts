import { readManifests } from '../addons/manifests/files.js';
import { manifestSet, type ManifestNote } from '../addons/manifests/record.js';
import { readSet } from '../kube/object-set.js';
import { messageOf } from '../lib/errors.js';
import { asAdmin } from './admin-client.js';
import type { InstanceContext } from './context.js';

/** A file of the folders of manifests. */
export type FileReport = {
  file: string;
  /** What the cluster has of it. */
  objects: number;
  faults: { line?: number; message: string }[];
};

/** What the cluster has of the files of the folders, and what it refused. */
export async function listManifests(
  context: InstanceContext,
): Promise<{ folders: string[]; files: FileReport[] }> {
  const { paths, signal } = context;
  const recorded = await asAdmin(context, (client) => readSet(client, manifestSet, signal));
  const { manifests, charts, faults } = await readManifests(paths.manifests);
  const note = JSON.parse(recorded?.note ?? '{}') as Partial<ManifestNote>;
  const members = recorded?.members ?? [];
  const releases = note.releases ?? [];
  const files = new Set([
    ...[...manifests, ...charts, ...faults].map(({ file }) => file),
    ...[...members, ...releases].flatMap(({ from }) => from ?? []),
  ]);
  const broken = faults.map(({ file, line, error }) => ({
    file,
    ...(line === undefined ? {} : { line }),
    message: messageOf(error),
  }));
  return {
    folders: paths.manifests,
    files: [...files].sort().map((file) => ({
      file,
      objects: [...members, ...releases].filter(({ from }) => from === file).length,
      faults: (note.faults ?? broken)
        .filter((fault) => fault.file === file)
        .map(({ file: _, ...fault }) => fault),
    })),
  };
}
