import type { ApiAccess } from '../kube/connect.js';
import type { KubeObject } from '../kube/object.js';
import { certificateTable, workerCertificates } from '../pki/certificates.js';
import { identityFiles } from '../pki/identity.js';
import { parsePortRanges } from '../rootless/port-range.js';
import { tapAddressIn } from '../rootless/network.js';
import type { Paths } from '../settings/paths.js';
import { hasFeature } from '../settings/features.js';
import { administrator, roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';
import { certificateInput } from './certificates.js';
import type { ClusterAddons, PublishPlan, KubernetesPlan } from './types.js';

/** What kubectl shows as the node's role. A kubelet may not say it of itself. */
const controlPlaneRole = { 'node-role.kubernetes.io/control-plane': '' };

/** What acts through the API from the host's side. */
export function planKubernetes(
  settings: Settings,
  paths: Paths,
  addons: ClusterAddons,
  metrics?: KubeObject[],
): KubernetesPlan {
  const apiAs = (identity: string): ApiAccess => ({
    server: apiServerUrl(settings),
    ...identityFiles(paths.pki, identity),
  });
  const { nodeName, nodeLabels, publishAddress } = settings;
  const role = roleOf(settings);
  const publish: PublishPlan = {
    nodeName,
    publishAddress,
    nodeAddress: tapAddressIn(settings.nodeSubnet),
    ...(settings.exposePorts === undefined ? {} : { allowed: parsePortRanges(settings.exposePorts) ?? [] }),
    // One node speaks for all, or they would overwrite each other.
    writesStatus: role === 'control-plane',
    // On a worker the kubelet's, which the Node authorizer shows no pods but its own.
    api: apiAs(role === 'control-plane' ? 'port-publisher' : 'kubelet'),
  };
  return {
    role,
    nodeName,
    nodeLabels: role === 'control-plane' ? { ...nodeLabels, ...controlPlaneRole } : nodeLabels,
    addons,
    api: apiAs(administrator(role)),
    ...(metrics === undefined
      ? {}
      : { metrics: { wanted: hasFeature(settings, 'metrics'), objects: metrics } }),
    ...(settings.expose ? { publish } : {}),
    ...membership(settings, paths, apiAs('node-approver')),
  };
}

/** The part of the node in who belongs to the cluster: to decide about it, or to stay in it. */
function membership(
  settings: Settings,
  { pki }: Paths,
  approver: ApiAccess,
): Pick<KubernetesPlan, 'approver' | 'renewal'> {
  const { controlPlane, nodeName, hostIp = '', podCidr, serviceCidr, severalNodes } = settings;
  if (controlPlane !== undefined)
    return { renewal: { pki, server: controlPlane, table: workerCertificates(nodeName, hostIp) } };
  if (!severalNodes) return {};
  const apiServer = certificateTable(certificateInput(settings)).find(
    ({ name }) => name === 'kube-apiserver',
  );
  const reserved = { hosts: apiServer?.hosts ?? [], networks: [podCidr, serviceCidr] };
  return { approver: { api: approver, reserved } };
}

/** Where a client on the host finds the API. */
export function apiServerUrl(settings: Pick<Settings, 'apiAddress' | 'apiPort' | 'controlPlane'>): string {
  if (settings.controlPlane !== undefined) return settings.controlPlane;
  const host = settings.apiAddress === '0.0.0.0' ? '127.0.0.1' : settings.apiAddress;
  return `https://${host}:${settings.apiPort}`;
}
