import { dirname, join } from 'node:path';
import type { ArtifactName, ResolvedArtifact } from '../artifacts/resolve.js';
import type { Netfilter } from '../rootless/netfilter.js';
import type { BundledImage } from '../images/bundled.js';
import type { KubeObject } from '../kube/object.js';
import { nthAddress } from '../lib/cidr.js';
import { namespaceSetup, type RuntimePlace } from '../rootless/child.js';
import { tapAddressIn } from '../rootless/network.js';
import { rootlessKitCommand } from '../rootless/parent.js';
import {
  formatPortSpec,
  isWildcard,
  portsConflict,
  type OwnedPort,
  type PortSpec,
} from '../rootless/port-spec.js';
import { systemPath, type Snapshotter } from '../services/context.js';
import { nodeServices } from './node-services.js';
import { runtimes } from '../runtimes/table.js';
import type { EngineOptions, Runtime, RuntimeContext } from '../runtimes/runtime.js';
import type { Paths } from '../settings/paths.js';
import type { ExposePlan } from './types.js';
import type { ApiAccess } from '../kube/connect.js';
import { identityFiles } from '../pki/identity.js';
import type { ClusterPlan, KubernetesPlan, NamespacePlan } from './types.js';
import { administrator, roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';

/** Everything that the cluster's programs come from. */
export function artifactsOf(
  settings: Pick<Settings, 'runtime' | 'kubernetes' | 'controlPlane' | 'severalNodes'>,
): ArtifactName[] {
  const ofKubernetes: ArtifactName[] = ['kubernetes', 'cni-plugins', 'coredns'];
  const ofControlPlane: ArtifactName[] = roleOf(settings) === 'control-plane' ? ['etcd'] : [];
  const ofSeveral: ArtifactName[] = settings.severalNodes ? ['flannel', 'netcheck'] : [];
  return [
    ...(settings.kubernetes ? [...ofKubernetes, ...ofControlPlane, ...ofSeveral] : []),
    ...runtimes[settings.runtime].artifacts,
    'rootlesskit',
    'slirp4netns',
  ];
}

export type Artifacts = ReadonlyMap<ArtifactName, ResolvedArtifact>;

export type HostFacts = {
  cgroups: 'delegated' | 'none';
  snapshotter: Snapshotter;
  netfilter: Netfilter;
  uid: number;
  /** Node.js, and the program of ours that it runs before each start of an engine. */
  node: string;
  takeBackPorts: string;
  /** What the user sets for the runtime's engine. */
  engineOptions: EngineOptions;
};

/** Looks a program up among the artifacts. */
export function binaryOf(artifacts: Artifacts): (name: string) => string {
  const all = new Map([...artifacts.values()].flatMap(({ binaries }) => Object.entries(binaries)));
  return (name) => {
    const path = all.get(name);
    if (path === undefined) throw new Error(`no artifact has a program ${name}`);
    return path;
  };
}

export function planNamespaces(
  settings: Settings,
  paths: Paths,
  artifacts: Artifacts,
  host: HostFacts,
  supervise: string[],
): NamespacePlan {
  const binary = binaryOf(artifacts);
  const builtIn = settings.kubernetes ? builtInPorts(settings) : [];
  return {
    cluster: settings.name,
    preset: settings.preset,
    rootlesskit: {
      ...rootlessKitCommand({
        rootlesskit: binary('rootlesskit'),
        slirp4netns: binary('slirp4netns'),
        stateDir: paths.rootlesskit,
        mtu: settings.mtu,
        cidr: settings.nodeSubnet,
        publish: builtIn.map(({ spec: port }) => formatPortSpec(port)),
        cgroups: host.cgroups,
        child: supervise,
      }),
      env: { PATH: systemPath, HOME: paths.home, XDG_RUNTIME_DIR: dirname(paths.runtime) },
      cwd: paths.state,
    },
    setup: namespaceSetup(paths, placeOf(runtimes[settings.runtime], paths), host.netfilter, {
      ...(settings.hostIp === undefined ? {} : { hostIp: settings.hostIp }),
      ...(settings.kubernetes ? { serviceCidr: settings.serviceCidr } : {}),
    }),
    logs: paths.logs,
    readyFile: paths.ready,
    runtimeDir: paths.runtime,
    rootlesskitDir: paths.rootlesskit,
    controlSocket: paths.controlSocket,
    ...(runtimes[settings.runtime].engine === undefined ? {} : { dockerSocket: paths.dockerSocket }),
    lock: paths.lock,
    cgroups: host.cgroups,
    ports: {
      apiSocket: paths.apiSocket,
      record: paths.ports,
      builtIn,
      config: settings.publish,
    },
  };
}

/** What other hosts, or clients on this one, must reach for the node to work. */
export function builtInPorts(settings: Settings): OwnedPort[] {
  const { hostIp, listenAddress, apiAddress, apiPort, kubeletPort, flannelPort } = settings;
  const lead = (proto: 'tcp' | 'udp', parentIP: string, port: number): OwnedPort['spec'] => ({
    proto,
    parentIP,
    parentPort: port,
    // Without it RootlessKit would take the address of the host, which is not always one inside.
    ...(hostIp === undefined ? {} : { childIP: tapAddressIn(settings.nodeSubnet) }),
    childPort: port,
  });
  const anywhere = apiAddress === '0.0.0.0';
  const forNodes = hostIp === undefined || anywhere ? [] : [listenAddress ?? hostIp];
  const apiAddresses = new Set([apiAddress, ...forNodes]);
  const ofApi = [...apiAddresses].map((each) => ({ spec: lead('tcp', each, apiPort), owner: 'api-server' }));
  const ports = [
    ...(roleOf(settings) === 'control-plane' ? ofApi : []),
    ...(hostIp === undefined
      ? []
      : [
          { spec: lead('tcp', listenAddress ?? hostIp, kubeletPort), owner: 'kubelet' },
          { spec: lead('udp', listenAddress ?? hostIp, flannelPort), owner: 'flannel' },
        ]),
  ];
  // One that the description publishes too, on the same address or on all, is published once, as it says.
  return ports.filter(({ spec: own }) => !settings.publish.some((given) => covers(given, own)));
}

function covers(given: PortSpec, own: PortSpec): boolean {
  if (given.childPort !== own.childPort || !portsConflict(given, own)) return false;
  return given.parentIP === own.parentIP || isWildcard(given);
}

/** Its folders are those of the cluster's state. */
function placeOf({ namespaces }: Runtime, { state, runtimeConfig }: Paths): RuntimePlace {
  return {
    remove: [...namespaces.remove],
    binds: Object.entries(namespaces.binds).map(([target, folder]) => ({
      source: join(state, folder),
      target,
    })),
    links: Object.fromEntries(
      Object.entries(namespaces.links ?? {}).map(([path, name]) => [path, join(runtimeConfig, name)]),
    ),
  };
}

/** What has been made for the services to use. */
export type Made = {
  /** Missing where there is no Kubernetes. */
  images?: { pause: BundledImage; coredns: BundledImage; netcheck?: BundledImage };
  addons: KubeObject[];
};

export function planCluster(
  settings: Settings,
  paths: Paths,
  artifacts: Artifacts,
  host: HostFacts,
  { images, addons }: Made,
): ClusterPlan {
  const { cgroups, snapshotter, netfilter } = host;
  const context: RuntimeContext = {
    cgroups,
    snapshotter,
    netfilter,
    role: roleOf(settings),
    nodeName: settings.nodeName,
    nodeAddress: settings.hostIp ?? tapAddressIn(settings.nodeSubnet),
    apiServer: settings.controlPlane ?? `https://127.0.0.1:${settings.apiPort}`,
    ports: { api: settings.apiPort, kubelet: settings.kubeletPort, etcd: settings.etcdPort },
    ...(settings.hostIp === undefined ? {} : { vxlanPort: settings.flannelPort }),
    podCidr: settings.podCidr,
    serviceCidr: settings.serviceCidr,
    dnsAddress: settings.dnsAddress,
    dnsDomain: settings.dnsDomain,
    mtu: settings.mtu,
    pauseImage: images?.pause.reference ?? '',
    images: Object.values(images ?? {}),
    binary: binaryOf(artifacts),
    pki: paths.pki,
    etc: paths.etc,
    runtimeConfig: paths.runtimeConfig,
    etcdData: paths.etcd,
    kubernetes: settings.kubernetes,
    engineSocket: paths.dockerSocket,
    engineOptions: host.engineOptions,
    engineCidr: settings.dockerCidr,
    publishAddress: settings.publishAddress,
    user: { uid: host.uid, home: paths.home },
    rootlesskitDir: paths.rootlesskit,
    takeBackPorts: {
      command: host.node,
      args: [host.takeBackPorts, paths.controlSocket],
    },
  };
  const runtime = runtimes[settings.runtime];
  if (!settings.kubernetes) return { services: runtime.services(context) };
  return {
    services: nodeServices(context, runtime),
    kubernetes: planKubernetes(settings, paths, addons),
  };
}

function planKubernetes(settings: Settings, paths: Paths, addons: KubeObject[]): KubernetesPlan {
  const apiAs = (identity: string): ApiAccess => ({
    server: apiServerUrl(settings),
    ...identityFiles(paths.pki, identity),
  });
  const { nodeName, publishAddress } = settings;
  const role = roleOf(settings);
  const expose: ExposePlan = {
    nodeName,
    publishAddress,
    nodeAddress: tapAddressIn(settings.nodeSubnet),
    // One node speaks for all, or they would overwrite each other.
    tellsStatus: role === 'control-plane',
    api: apiAs('port-publisher'),
  };
  return {
    role,
    nodeName,
    addons,
    api: apiAs(administrator(role)),
    ...(settings.expose ? { expose } : {}),
    ...(role === 'control-plane' && settings.hostIp !== undefined
      ? { approver: apiAs('node-approver') }
      : {}),
  };
}

/** Where a client on the host finds the API. */
export function apiServerUrl(settings: Pick<Settings, 'apiAddress' | 'apiPort' | 'controlPlane'>): string {
  if (settings.controlPlane !== undefined) return settings.controlPlane;
  const host = settings.apiAddress === '0.0.0.0' ? '127.0.0.1' : settings.apiAddress;
  return `https://${host}:${settings.apiPort}`;
}

export function certificateInput(settings: Settings): {
  nodeName: string;
  nodeAddress: string;
  serviceAddress: string;
  dnsDomain: string;
  apiAddress: string;
  hostIp?: string;
} {
  return {
    nodeName: settings.nodeName,
    nodeAddress: tapAddressIn(settings.nodeSubnet),
    ...(settings.hostIp === undefined ? {} : { hostIp: settings.hostIp }),
    serviceAddress: nthAddress(settings.serviceCidr, 1),
    dnsDomain: settings.dnsDomain,
    apiAddress: settings.apiAddress,
  };
}
