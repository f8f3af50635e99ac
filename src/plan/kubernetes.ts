import type { ApiAccess } from '../kube/connect.js';
import { certificateTable, workerCertificates } from '../pki/certificates.js';
import { certificateFiles, identityFiles } from '../pki/identity.js';
import { parsePortRanges } from '../rootless/port-range.js';
import { tapAddressIn } from '../rootless/network.js';
import { instanceName, type Paths } from '../settings/paths.js';
import { hasFeature } from '../settings/features.js';
import { administrator, roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { certificateInput } from './certificates.js';
import { planFurther } from './further.js';
import type { Made, PublishPlan, KubernetesPlan, RenewalPlan } from './types.js';

/** What kubectl shows as the node's role. A kubelet may not say it of itself. */
const controlPlaneRole = { 'node-role.kubernetes.io/control-plane': '' };

/** What acts through the API from the host's side. */
export function planKubernetes(
  settings: Settings,
  paths: Paths,
  services: readonly ServiceDefinition[],
  { addons, metrics, further, kubeconfigs = [], unenforced = false }: Omit<Made, 'images'>,
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
    networkPolicies: unenforced ? 'impossible' : hasFeature(settings, 'netpol') ? 'enforced' : 'off',
    ...(metrics === undefined
      ? {}
      : { metrics: { wanted: hasFeature(settings, 'metrics'), objects: metrics } }),
    ...(role === 'worker' ? {} : { further: planFurther(nodeName, paths, further) }),
    ...(settings.expose ? { publish } : {}),
    renewal: renewal(settings, paths, services, kubeconfigs),
    ...membership(settings, apiAs('node-approver')),
  };
}

/** What keeps the certificates of the node from ending. */
function renewal(
  settings: Settings,
  { pki, adminKubeconfig }: Paths,
  services: readonly ServiceDefinition[],
  candidates: readonly string[],
): RenewalPlan {
  const { controlPlane, nodeName, hostIp = '', name } = settings;
  const table =
    controlPlane === undefined
      ? certificateTable(certificateInput(settings))
      : workerCertificates(nodeName, hostIp);
  const readersOf = (certificate: string): string[] => {
    const { certFile } = certificateFiles(pki, certificate);
    return services.filter((service) => JSON.stringify(service).includes(certFile)).map(({ name }) => name);
  };
  const readers = Object.fromEntries(table.map((spec) => [spec.name, readersOf(spec.name)]));
  if (controlPlane !== undefined) return { pki, table, readers, server: controlPlane };
  const server = apiServerUrl(settings);
  return {
    pki,
    table,
    readers,
    kubeconfigs: { name: instanceName(name), server, own: adminKubeconfig, candidates },
  };
}

/** The part of a control plane in who belongs to the cluster. */
function membership(settings: Settings, approver: ApiAccess): Pick<KubernetesPlan, 'approver'> {
  const { controlPlane, podCidr, serviceCidr, severalNodes } = settings;
  if (controlPlane !== undefined || !severalNodes) return {};
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
