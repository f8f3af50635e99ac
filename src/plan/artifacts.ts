import type { ArtifactName } from '../artifacts/artifact.js';
import type { ResolvedArtifact } from '../artifacts/store/store.js';
import { runtimes } from '../runtimes/table.js';
import { features, hasFeature, type Feature } from '../settings/features.js';
import { roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';

type NodeSettings = Pick<Settings, 'runtime' | 'kubernetes' | 'controlPlane' | 'severalNodes'> &
  Partial<Pick<Settings, 'without'>>;

/** What a cluster can do without, where it cannot be got. */
export const artifactsOfFeature: Readonly<Record<Feature, readonly ArtifactName[]>> = {
  storage: ['local-storage'],
  metrics: ['metrics'],
  netpol: ['network-policies'],
};

/** Everything that the programs of an instance come from. */
export function artifactsOf(settings: NodeSettings): ArtifactName[] {
  const ofKubernetes: ArtifactName[] = ['kubernetes', 'cni-plugins', 'coredns'];
  const ofControlPlane: ArtifactName[] = roleOf(settings) === 'control-plane' ? ['etcd'] : [];
  const ofSeveral: ArtifactName[] = settings.severalNodes ? ['flannel'] : [];
  return [
    ...(settings.kubernetes ? [...ofKubernetes, ...ofControlPlane, ...ofSeveral] : []),
    ...runtimes[settings.runtime].artifacts,
    'rootlesskit',
    'slirp4netns',
    ...features.flatMap((feature) => (hasFeature(settings, feature) ? artifactsOfFeature[feature] : [])),
  ];
}

/** Those that are on this host, by name. */
export type Artifacts = ReadonlyMap<ArtifactName, ResolvedArtifact>;

/** Looks a program up among the artifacts. */
export function binaryOf(artifacts: Artifacts): (name: string) => string {
  const all = new Map([...artifacts.values()].flatMap(({ binaries }) => Object.entries(binaries)));
  return (name) => {
    const path = all.get(name);
    if (path === undefined) throw new Error(`no artifact has a program ${name}`);
    return path;
  };
}
