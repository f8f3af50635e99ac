import type { ArtifactName } from '../artifacts/catalog.js';
import type { NamespaceTrial } from '../host/namespace-trial.js';
import type { Report } from '../lib/events.js';
import type { Snapshotter } from '../services/context.js';
import type { RuntimeName } from '../settings/runtime-names.js';

/** The best way to stack the layers of images that this host has; another than the kernel's is warned of. */
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

/** What it takes beside the runtime itself; CRI-O calls fuse-overlayfs, containerd has a snapshotter do it. */
export function artifactsOfSnapshotter(snapshotter: Snapshotter, runtime: RuntimeName): ArtifactName[] {
  if (snapshotter !== 'fuse-overlayfs') return [];
  return runtime === 'crio' ? ['fuse-overlayfs'] : ['fuse-overlayfs', 'fuse-overlayfs-snapshotter'];
}
