import type { ApiAccess } from '../kube/connect.js';
import type { KubeObject } from '../kube/object.js';
import type { BundledImage } from '../images/bundled.js';
import type { RegistriesPlan } from '../images/registries/keep.js';
import type { EngineOptions } from '../runtimes/runtime.js';
import type { CertificateSpec } from '../pki/certificates.js';
import type { Netfilter } from '../rootless/netfilter.js';
import type { Snapshotter } from '../services/context.js';
import type { NamespaceSetup } from '../rootless/child.js';
import type { WantedPort } from '../rootless/port.js';
import type { PortRange } from '../rootless/port-range.js';
import type { PortSpec } from '../rootless/port-spec.js';
import type { AddonName } from '../settings/addon-names.js';
import type { PolicyEnforcement } from '../settings/features.js';
import type { Role } from '../settings/role.js';
import type { ServiceDefinition } from '../supervisor/definition.js';

/** What was found on this host. */
export type HostFacts = {
  cgroups: 'delegated' | 'none';
  snapshotter: Snapshotter;
  netfilter: Netfilter;
  uid: number;
  /** Node.js, and the program of ours that it runs before each start of an engine. */
  node: string;
  takeBackPorts: string;
  /** The program of ours that the kubelet asks for credentials. */
  registryCredentials: string;
  /** Where docker keeps what it was logged in with. */
  dockerLogins: string;
  /** Folders certs.d that can be read, or may come to be. */
  certificateFolders: readonly string[];
  /** What the user sets for the runtime's engine. */
  engineOptions: EngineOptions;
};

/**
 * `first`: what the node waits for. `later`: what makes up its features, for when the node has less to do. `gone`: what an
 * earlier start may have applied, and this one takes away.
 */
export type ClusterAddons = { first: KubeObject[]; later: KubeObject[]; gone?: KubeObject[] };

/** What has been made for the services to use. */
export type Made = {
  /** Missing where there is no Kubernetes. */
  images?: { pause: BundledImage; coredns: BundledImage; netcheck?: BundledImage };
  addons: ClusterAddons;
  /** Missing where there is no Kubernetes, and on a worker. */
  metrics?: KubeObject[];
  /** Where the person's kubeconfig may be. */
  kubeconfigs?: readonly string[];
  /** Of what the user has added. */
  further?: { images: BundledImage[]; addons: AddonPlan[]; helm: string };
  /** Whether NetworkPolicies are wanted, and cannot be enforced. */
  unenforced?: boolean;
};

/** What is needed to open the namespaces; known before certificates and images are. */
export type NamespacePlan = {
  cluster: string;
  preset: string;
  rootlesskit: { command: string; args: string[]; env: Record<string, string>; cwd: string };
  setup: NamespaceSetup;
  /** Through which images are pulled, without the password. */
  proxy?: string;
  /** Ports of the host's loopback that pods reach. */
  hostAccess: number[];
  /** Folder of the logs, one file a service. */
  logs: string;
  /** Exists while the namespaces are prepared and can be entered. */
  readyFile: string;
  runtimeDir: string;
  rootlesskitDir: string;
  controlSocket: string;
  /** Of a runtime that serves docker's API. */
  engine?: EnginePlan;
  lock: string;
  cgroups: 'delegated' | 'none';
  ports: PortPlan;
};

/** What host and node share of an engine. */
export type EnginePlan = {
  /** The only folder of the instance's runtime folder that the node sees. */
  folder: string;
  /** In that folder: where the engine serves its API. */
  socket: string;
  /** Leads to it, from where the user's programs look. */
  link: string;
  /** In that folder: where the launcher takes ports back that the engine has left. */
  takeBack: string;
};

/** The ports that the launcher looks after. */
export type PortPlan = {
  /** RootlessKit's API. */
  apiSocket: string;
  /** Record of what was published by hand. */
  record: string;
  /** What RootlessKit publishes by its own arguments. */
  builtIn: WantedPort[];
  /** Published at each start because the settings say so. */
  config: PortSpec[];
  /** The container runtime publishes ports of its containers by itself, as another client of RootlessKit. */
  runtimePublishes: boolean;
};

/** What runs inside. */
export type InstancePlan = {
  services: ServiceDefinition[];
  registries: RegistriesPlan;
  /** Missing for a container runtime alone. */
  kubernetes?: KubernetesPlan;
};

/** The objects by which the API server finds the metrics, and whether it is to find them. */
export type MetricsPlan = { wanted: boolean; objects: KubeObject[] };

export type KubernetesPlan = {
  role: Role;
  nodeName: string;
  /** Those that the settings give to the node. */
  nodeLabels: Record<string, string>;
  /** None on a worker: they are the control plane's to apply. */
  addons: ClusterAddons;
  /** As seen from the host. */
  api: ApiAccess;
  /** Missing on a worker. */
  metrics?: MetricsPlan;
  /** What the user has added; missing on a worker. */
  further?: FurtherPlan;
  networkPolicies: PolicyEnforcement;
  /** Missing with --no-expose. */
  publish?: PublishPlan;
  /** Answers the certificate requests of nodes that join; missing on a node that others cannot join. */
  approver?: ApproverPlan;
  /** Renews this node's certificates while it runs. */
  renewal?: RenewalPlan;
};

/** What the user has added to the cluster. */
export type FurtherPlan = {
  addons: AddonPlan[];
  /** Names the add-ons that the cluster is to have by now: what it has of others is removed. */
  remembered: string;
  manifests: ManifestsPlan;
};

/** The folders of the user's manifests and charts. */
export type ManifestsPlan = {
  folders: string[];
  nodeName: string;
  /** Where helm is, or will be once it is got. */
  helm: string;
  helmEnv: Record<string, string>;
};

/** What is applied for an add-on. */
export type AddonPlan = {
  name: AddonName;
  nodeName: string;
  objects: KubeObject[];
  /** A file with a list of definitions of kinds, in JSON. */
  definitions: string;
};

/** Names and addresses by which the API server is known, and the networks inside the cluster: no other node may have them. */
export type Reserved = { hosts: readonly string[]; networks: readonly string[] };

export type ApproverPlan = { api: ApiAccess; reserved: Reserved };

/** The certificates of a node, and where it gets them. */
export type RenewalPlan = {
  pki: string;
  table: readonly CertificateSpec[];
  /** The control plane that signs them; missing on a control plane, which has the authorities itself. */
  server?: string;
  /** By the name of a certificate: the services that read it. */
  readers: Record<string, string[]>;
  /** Missing on a worker. */
  kubeconfigs?: KubeconfigPlan;
};

/** The kubeconfigs that have the administrator's certificate in them. */
export type KubeconfigPlan = {
  name: string;
  server: string;
  /** Next to the instance's state. */
  own: string;
  /** The person's, which may have it. */
  candidates: readonly string[];
};

/** How the claims of Services and pods are published. */
export type PublishPlan = {
  nodeName: string;
  /** Address of the host; 0.0.0.0 for all. */
  publishAddress: string;
  /** The node's address in its own network. */
  nodeAddress: string;
  /** The ports of the host that claims may have; without them any. */
  allowed?: PortRange[];
  /** Whether this node writes the addresses of load balancers. */
  writesStatus: boolean;
  api: ApiAccess;
};
