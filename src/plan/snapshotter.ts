import type { ArtifactName } from '../artifacts/artifact.js';
import type { NamespaceTrial } from '../host/namespace-trial.js';
import type { Report } from '../lib/events.js';
import { runtimes } from '../runtimes/table.js';
import type { Snapshotter } from '../services/context.js';
import type { RuntimeName } from '../settings/runtime-names.js';

/** Chooses the best way that this host has to stack the layers of images; warns of any other than the kernel's. */
export function chooseSnapshotter({ overlay, fuse }: NamespaceTrial['faults'], report: Report): Snapshotter {
  if (overlay === undefined) return 'overlayfs';
  const [chosen, cost] =
    fuse === undefined
      ? (['fuse-overlayfs', 'fuse-overlayfs stacks images instead, slower'] as const)
      : ([
          'native',
          `nor fuse-overlayfs (${fuse}): images are copied whole, which takes time and space`,
        ] as const);
  report({
    kind: 'warning',
    text: `the kernel's overlayfs cannot be used (${overlay}); ${cost}`,
    code: 'overlayfs-refused',
    fixes: ['set XDG_STATE_HOME to a folder on a local ext4 or xfs file system'],
  });
  return chosen;
}

/** What the runtime needs to stack layers in that way. */
export function artifactsOfSnapshotter(
  snapshotter: Snapshotter,
  runtime: RuntimeName,
): readonly ArtifactName[] {
  return runtimes[runtime].artifactsOfSnapshotter[snapshotter] ?? [];
}
