import { join } from 'node:path';
import { loadAddons } from '../kube/addons.js';
import { hostNames } from '../rootless/network.js';
import type { KubeObject } from '../kube/object.js';
import type { ClusterAddons } from '../plan/types.js';
import type { Feature } from '../settings/features.js';

/** What the manifests are filled in with. */
export type AddonValues = {
  /** Of the control plane. */
  nodeName: string;
  /** Reference of the image of CoreDNS. */
  coredns: string;
  dnsAddress: string;
  dnsDomain: string;
  /** The host as pods reach it. */
  hostAddress: string;
  /** The certificate of the cluster's authority, as PEM. */
  rootCa: string;
  /** That of the authority of kubelets as servers. */
  kubeletCa: string;
  /** What a node that joins has to know. */
  facts: object;
};

/** What a control plane applies: the cluster DNS and the rights of our components; more where nodes may join. */
export async function clusterAddons(
  projectRoot: string,
  { nodeName, coredns, dnsAddress, dnsDomain, hostAddress, rootCa, kubeletCa, facts }: AddonValues,
  features: readonly Feature[],
  nodesMayJoin: boolean,
): Promise<ClusterAddons> {
  const folder = join(projectRoot, 'config/manifests');
  const values = {
    COREDNS_IMAGE: coredns,
    NODE_NAME: nodeName,
    DNS_ADDRESS: dnsAddress,
    DNS_DOMAIN: dnsDomain,
    HOST_ADDRESS: hostAddress,
    HOST_NAMES: hostNames.join(' '),
    // A JSON string is a YAML one, and keeps its line breaks.
    ROOT_CA: JSON.stringify(rootCa),
    KUBELET_CA: JSON.stringify(kubeletCa),
    CLUSTER_FACTS: JSON.stringify(JSON.stringify(facts)),
  };
  const load = (name: string): Promise<KubeObject[]> => loadAddons(join(folder, name), values);
  const forNodes = nodesMayJoin ? await load('nodes') : [];
  return {
    first: [...(await load('.')), ...forNodes],
    later: (await Promise.all(features.map(load))).flat(),
  };
}
