/* eslint-disable max-lines -- a table */
import { artifactNames } from '../artifacts/catalog.js';
import { registriesSchema } from '../images/registries/model.js';
import { parsePortRanges } from '../rootless/port-range.js';
import { formatPortSpec, parsePortSpec, type PortSpec } from '../rootless/port-spec.js';
import { messageOf } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { Setting, Zod } from './entry.js';
import { addonNames } from './addon-names.js';
import { features } from './features.js';
import { defaultNodeName } from './node-name.js';
import { defaultCluster, namePattern } from './paths.js';
import { components } from './components.js';
import { proxyUrl } from './proxy-url.js';
import { addonReading, artifactReading, gateReading, portReading, secondsReading } from './readings.js';
import { runtimeNames } from './runtime-names.js';

const dnsLabel = (z: Zod) =>
  z.string().regex(namePattern, 'must be lower-case letters, digits and dashes, at most 40');
const network = (z: Zod) => z.cidrv4('must be an IPv4 network such as 10.88.0.0/16');
const address = (z: Zod) => z.ipv4('must be an IPv4 address');
const port = (z: Zod) => z.int().min(1).max(65535);
const podSecurityLevels = ['privileged', 'baseline', 'restricted'] as const;
const permissions = ['denied', 'allowed'] as const;
const accesses = ['closed', 'open'] as const;
const auditLevels = ['none', 'metadata', 'request'] as const;
const ways = ['auto', 'download', 'build', 'host'] as const;

/**
 * Every setting of an instance, with everything about it. Flags, variables, precedence, memory, sharing, the help and
 * docs/settings.md follow from this table. It imports nothing heavy; entries are handed zod.
 */
export const table = {
  name: {
    schema: dnsLabel,
    help: 'name of the instance',
    default: defaultCluster,
    givenBy: '`--cluster`, `U7S_CLUSTER`',
  },
  preset: {
    schema: (z) => z.string(),
    help: 'name of the preset, which decides the runtime and whether there is Kubernetes',
    default: 'default-containerd',
    defaultWords: 'what the instance was before, else `default-docker`',
    givenBy: 'the argument of `up`',
    memory: { 'control-plane': 'kept', worker: 'kept' },
  },
  runtime: {
    schema: (z) => z.enum(runtimeNames, `must be one of ${runtimeNames.join(', ')}`),
    help: 'container runtime of this node',
    default: 'containerd',
    flag: '--runtime <name>',
    choices: runtimeNames,
    verbs: ['join'],
    givenBy: 'the preset',
    memory: { 'control-plane': 'compared', worker: 'compared' },
  },
  kubernetes: {
    schema: (z) => z.boolean(),
    help: 'whether Kubernetes runs; without it there is the container runtime alone',
    default: true,
    givenBy: 'the preset',
    memory: { 'control-plane': 'compared', worker: 'compared' },
  },
  nodeName: {
    schema: dnsLabel,
    help: 'name of the node',
    default: ({ hostname }) => defaultNodeName(hostname),
    defaultWords: 'u7s-<hostname>',
    flag: '--node-name <name>',
    verbs: ['up', 'join'],
    variables: ['U7S_NODE_NAME', 'NODE_NAME'],
    memory: { 'control-plane': 'fixed', worker: 'fixed' },
    boundIf: 'kubernetes',
  },
  nodeLabels: {
    schema: nodeLabels,
    help: 'label of the node, for example disk=ssd',
    default: {},
    flag: '--node-label <key=value>',
    verbs: ['up', 'join'],
    variables: ['U7S_NODE_LABELS'],
    reading: {
      read: (text) => {
        const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
        return key === undefined ? undefined : { [key]: value };
      },
      kind: 'a label',
      form: 'KEY=VALUE',
    },
    several: { as: 'map', separator: /,/ },
    memory: { 'control-plane': 'kept', worker: 'kept' },
  },
  nodeTaints: {
    schema: (z) =>
      z.array(
        z
          .string()
          .regex(
            /^[^=:\s]+(=[^=:\s]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/,
            'must be KEY=VALUE:EFFECT, such as gpu=yes:NoSchedule',
          ),
      ),
    help: 'taint that the node is registered with, for example gpu=yes:NoSchedule; the cluster DNS needs a node without',
    default: [],
    flag: '--node-taint <taint>',
    verbs: ['up', 'join'],
    variables: ['U7S_NODE_TAINTS'],
    several: { as: 'list', separator: /,/ },
    memory: { 'control-plane': 'kept', worker: 'kept' },
  },
  controlPlane: {
    schema: (z) => z.url({ protocol: /^https$/ }),
    help: '`https://HOST:PORT` of the control plane that the node has joined; without one it is itself the control plane',
    givenBy: 'the argument of `join`',
    memory: { worker: 'fixed' },
  },
  hostIp: {
    schema: address,
    help: 'address of this host by which nodes on other hosts reach it; without one they cannot join',
    defaultWords: { join: 'the address from which this host reaches the control plane' },
    flag: '--host-ip <address>',
    verbs: ['up', 'join'],
    variables: ['U7S_HOST_IP', 'HOST_IP'],
    memory: { 'control-plane': 'kept', worker: 'fixed' },
  },
  listenAddress: {
    schema: address,
    help: 'address of this host on which ports for other nodes listen, where that is not hostIp: in a container, whose engine forwards to an address of its own',
    default: ({ hostIp }) => hostIp,
    defaultWords: 'that of --host-ip',
    variables: ['U7S_LISTEN_ADDRESS'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  nodeSubnet: {
    schema: network,
    help: 'network of the node itself, behind that of the host: the network of slirp4netns',
    default: '10.0.2.0/24',
    variables: ['U7S_NODE_SUBNET', 'NODE_SUBNET'],
    memory: { 'control-plane': 'kept', worker: 'fixed' },
  },
  podCidr: {
    schema: network,
    help: 'network of pods; with hostIp each node gets a /24 of it',
    default: ({ hostIp }) => (hostIp === undefined ? '10.88.0.0/16' : '10.5.0.0/16'),
    defaultWords: '10.88.0.0/16, with --host-ip 10.5.0.0/16',
    memory: { 'control-plane': 'fixed', worker: 'fixed' },
    // On a single node the pods are created anew at each start.
    boundIf: 'severalNodes',
    shared: true,
  },
  serviceCidr: {
    schema: network,
    help: 'network of Services',
    default: '10.0.0.0/24',
    memory: { 'control-plane': 'fixed', worker: 'fixed' },
    boundIf: 'kubernetes',
    shared: true,
  },
  dockerCidr: {
    schema: network,
    help: 'network of docker’s containers; each docker network gets a /24 of it when it is made',
    default: '10.89.0.0/16',
    memory: { 'control-plane': 'kept' },
  },
  dnsAddress: {
    schema: address,
    help: 'address of the cluster DNS, in serviceCidr',
    default: ({ serviceCidr, addressIn }) =>
      addressIn(serviceCidr, Number(serviceCidr.split('/')[1]) <= 26 ? 53 : 10),
    defaultWords: 'number 53 of serviceCidr, in a small one number 10',
    memory: { 'control-plane': 'fixed', worker: 'fixed' },
    boundIf: 'kubernetes',
    shared: true,
  },
  dnsDomain: {
    schema: (z) =>
      z
        .string()
        .max(200)
        .regex(
          /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
          'must be a DNS name in lower case',
        ),
    help: 'domain of the cluster DNS',
    default: 'cluster.local',
    memory: { 'control-plane': 'fixed', worker: 'fixed' },
    boundIf: 'kubernetes',
    shared: true,
  },
  apiAddress: {
    schema: address,
    help: 'address of this host on which the API is published',
    default: ({ listenAddress }) => listenAddress ?? '127.0.0.1',
    defaultWords: 'that of --host-ip, else 127.0.0.1',
    flag: '--api-address <address>',
    verbs: ['up'],
    variables: ['U7S_API_ADDRESS'],
    memory: { 'control-plane': 'asked' },
  },
  apiPort: {
    schema: port,
    help: 'port of this host on which the API is published',
    default: 6443,
    defaultWords: '6443, or the next that is free',
    flag: '--api-port <port>',
    verbs: ['up'],
    variables: ['U7S_API_PORT', 'PORT_KUBE_APISERVER'],
    reading: portReading,
    portOffset: 0,
    memory: { 'control-plane': 'kept' },
  },
  kubeletPort: {
    schema: port,
    help: 'port of this host on which the kubelet is published for other nodes',
    default: 10250,
    defaultWords: '10250, or the next that is free',
    flag: '--kubelet-port <port>',
    verbs: ['up', 'join'],
    variables: ['PORT_KUBELET'],
    reading: portReading,
    portOffset: 1,
    memory: { 'control-plane': 'kept', worker: 'fixed' },
  },
  flannelPort: {
    schema: port,
    help: 'UDP port of the network that connects the pods of several nodes, the same on all of them',
    default: 8472,
    defaultWords: '8472, or the next that is free',
    flag: '--flannel-port <port>',
    verbs: ['up'],
    variables: ['PORT_FLANNEL'],
    reading: portReading,
    portOffset: 2,
    memory: { 'control-plane': 'kept', worker: 'fixed' },
    shared: true,
  },
  etcdPort: {
    schema: port,
    help: 'the first of three ports of etcd, inside the node, where the host does not see them',
    default: 2379,
    variables: ['PORT_ETCD'],
    reading: portReading,
    portOffset: 3,
    memory: { 'control-plane': 'kept' },
  },
  expose: {
    schema: (z) => z.boolean(),
    help: 'publish NodePort and LoadBalancer Services and host ports of pods on this host',
    default: true,
    flag: '--no-expose',
    flagHelp: 'publish no NodePort or LoadBalancer Services and no host ports of pods',
    verbs: ['up'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  exposePorts: {
    schema: (z) =>
      z
        .string()
        .refine(
          (text) => parsePortRanges(text) !== undefined,
          'must be ports and ranges of ports such as 8000-9000,30000-32767',
        ),
    help: 'the ports of this host that Services and pods may have, for example 8000-9000,30000-32767',
    defaultWords: 'any that is free',
    flag: '--expose-ports <ranges>',
    verbs: ['up', 'join'],
    variables: ['U7S_EXPOSE_PORTS'],
    memory: { 'control-plane': 'kept', worker: 'kept' },
  },
  publishAddress: {
    schema: address,
    help: 'address of this host on which Services and host ports of pods are published',
    default: ({ listenAddress }) => listenAddress ?? '127.0.0.1',
    defaultWords: 'that of --host-ip, else 127.0.0.1',
    flag: '--publish-address <address>',
    verbs: ['up'],
    variables: ['U7S_PUBLISH_ADDRESS'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  publish: {
    schema: (z) => z.array(portSpec(z)),
    help: 'publish a port at each start, for example 127.0.0.1:8080:80/tcp',
    default: [],
    flag: '--publish <spec>',
    verbs: ['up'],
    variables: ['U7S_ROOTLESSKIT_PORTS'],
    several: { as: 'list', separator: /\s+/ },
    memory: { 'control-plane': 'asked', worker: 'asked' },
    written: (specs: PortSpec[]) => specs.map(formatPortSpec),
  },
  hostAccess: {
    schema: (z) => z.array(port(z)),
    help: 'port of this host’s loopback that pods reach at host.usernetes.internal',
    default: [],
    flag: '--host-access <port>',
    verbs: ['up', 'join'],
    variables: ['U7S_HOST_ACCESS'],
    reading: portReading,
    several: { as: 'list', separator: /[\s,]+/ },
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  httpProxy: {
    schema: proxyUrl,
    help: 'proxy through which images are pulled from http:// registries; none for none',
    variables: ['U7S_HTTP_PROXY', 'HTTP_PROXY', 'http_proxy'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  httpsProxy: {
    schema: proxyUrl,
    help: 'proxy through which images are pulled from https:// registries; none for none',
    variables: ['U7S_HTTPS_PROXY', 'HTTPS_PROXY', 'https_proxy'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  allProxy: {
    schema: proxyUrl,
    help: 'proxy that stands in for either of the two before it',
    variables: ['U7S_ALL_PROXY', 'ALL_PROXY', 'all_proxy'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  noProxy: {
    schema: (z) => z.string(),
    help: 'hosts, domains and networks that are reached without a proxy, in addition to all of the cluster',
    variables: ['U7S_NO_PROXY', 'NO_PROXY', 'no_proxy'],
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  registries: {
    schema: (z) => registriesSchema(z, 'refused'),
    help: 'mirrors, certificates and the like of registries, in the format of registries.yaml of k3s, without passwords',
    default: {},
    givenBy: '`registries.yaml`',
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  tlsSans: {
    schema: (z) =>
      z.array(
        z.string().regex(/^[A-Za-z0-9*]([-A-Za-z0-9.*:]*[A-Za-z0-9])?$/, 'must be a DNS name or an address'),
      ),
    help: 'further name or address in the certificate of the API',
    default: [],
    flag: '--tls-san <name>',
    verbs: ['up'],
    variables: ['U7S_TLS_SANS'],
    several: { as: 'list', separator: /[\s,]+/ },
    memory: { 'control-plane': 'asked' },
  },
  featureGates: {
    schema: (z) => z.record(z.string().regex(/^[A-Za-z0-9]+$/), z.boolean()),
    help: 'feature gate of all components of Kubernetes, for example InPlacePodVerticalScaling=false',
    default: {},
    flag: '--feature-gate <name=bool>',
    verbs: ['up', 'join'],
    variables: ['U7S_FEATURE_GATES'],
    reading: gateReading,
    several: { as: 'map', separator: /,/ },
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  runtimeConfig: {
    schema: (z) => z.record(z.string().regex(/^[a-z0-9./]+$/), z.boolean()),
    help: 'API that is served or not, for example resource.k8s.io/v1beta1=true',
    default: {},
    flag: '--runtime-config <api=bool>',
    verbs: ['up'],
    variables: ['U7S_RUNTIME_CONFIG'],
    reading: gateReading,
    several: { as: 'map', separator: /,/ },
    memory: { 'control-plane': 'asked' },
  },
  components: {
    schema: components,
    help: 'arguments and fields of configuration of components, by their names: kubeApiserver: { args: { event-ttl: 2h } }',
    default: {},
    givenBy: '`--kube-apiserver-arg`, `--kubelet-arg` and so on',
    memory: { 'control-plane': 'asked', worker: 'asked' },
  },
  podSecurity: {
    schema: (z) => z.enum(podSecurityLevels, `must be one of ${podSecurityLevels.join(', ')}`),
    help: 'Pod Security Standard that pods must meet in every namespace but kube-system and those with a label of their own',
    default: 'privileged',
    flag: '--pod-security <level>',
    choices: podSecurityLevels,
    verbs: ['up'],
    variables: ['U7S_POD_SECURITY'],
    memory: { 'control-plane': 'kept' },
  },
  externalIps: {
    schema: (z) => z.enum(permissions, `must be one of ${permissions.join(', ')}`),
    help: 'whether a new Service may name externalIPs, by which it takes over the traffic of pods to any address',
    default: 'denied',
    flag: '--external-ips <permission>',
    choices: permissions,
    verbs: ['up'],
    variables: ['U7S_EXTERNAL_IPS'],
    memory: { 'control-plane': 'kept' },
  },
  linkLocal: {
    schema: (z) => z.enum(accesses, `must be one of ${accesses.join(', ')}`),
    help: 'whether pods and the node reach link-local addresses outside, 169.254.0.0/16, at which clouds hand out the credentials of the machine',
    default: 'closed',
    flag: '--link-local <access>',
    choices: accesses,
    verbs: ['up', 'join'],
    variables: ['U7S_LINK_LOCAL'],
    memory: { 'control-plane': 'kept', worker: 'kept' },
  },
  mtu: {
    schema: (z) => z.int().min(1280).max(65520),
    help: 'MTU of the node’s network; 65520 is the most that slirp4netns takes',
    default: 65520,
    memory: { 'control-plane': 'asked', worker: 'fixed' },
    shared: true,
  },
  auditLevel: {
    schema: (z) => z.enum(auditLevels, `must be one of ${auditLevels.join(', ')}`),
    help: 'what the API server records of requests in `u7s logs audit`: nothing, who did what, or with what content as well',
    default: 'metadata',
    flag: '--audit-level <level>',
    choices: auditLevels,
    verbs: ['up'],
    variables: ['U7S_AUDIT_LEVEL'],
    memory: { 'control-plane': 'kept' },
  },
  without: {
    schema: (z) => z.array(z.enum(features, `must be of ${features.join(', ')}`)),
    help: `what this cluster is to do without, of ${features.join(', ')}; or none, to have all of it again`,
    default: [],
    flag: '--without <features>',
    verbs: ['up'],
    variables: ['U7S_WITHOUT'],
    reading: {
      read: (text) => (text === 'none' ? [] : features.find((feature) => feature === text)),
      kind: 'a feature',
      form: `${features.join(', ')} or none`,
    },
    several: { as: 'list', separator: /[,\s]+/ },
    memory: { 'control-plane': 'kept', worker: 'fixed' },
    shared: true,
  },
  addons: {
    schema: (z) => z.array(z.enum(addonNames, `must be of ${addonNames.join(', ')}`)),
    help: `add-ons that this cluster is to have, of ${addonNames.join(', ')}; or none`,
    default: [],
    flag: '--addon <name>',
    verbs: ['up'],
    variables: ['U7S_ADDONS'],
    reading: addonReading,
    several: { as: 'list', separator: /[,\s]+/ },
    memory: { 'control-plane': 'kept' },
  },
  metricsResolution: {
    schema: (z) => z.int().min(2).max(300),
    help: 'seconds from one look at what pods use to the next',
    default: 15,
    flag: '--metrics-resolution <seconds>',
    verbs: ['up', 'join'],
    variables: ['U7S_METRICS_RESOLUTION'],
    reading: secondsReading,
    memory: { 'control-plane': 'kept', worker: 'kept' },
  },
  artifacts: {
    schema: (z) => z.enum(ways, `must be one of ${ways.join(', ')}`),
    help: 'where binaries come from',
    default: 'auto',
    flag: '--artifacts <way>',
    choices: ways,
    verbs: ['up', 'join'],
    variables: ['U7S_ARTIFACTS'],
  },
  artifactPaths: {
    schema: (z) => z.partialRecord(z.enum(artifactNames), z.string()),
    help: 'use this program, or folder of programs, as that artifact',
    default: {},
    flag: '--artifact <name=path>',
    verbs: ['up', 'join'],
    reading: artifactReading,
    several: { as: 'map', separator: /,/ },
    memory: { 'control-plane': 'kept', worker: 'kept' },
    merged: true,
  },
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof table;

/** The table as a list. */
export const settingEntries = Object.entries(table) as readonly (readonly [SettingName, Setting])[];

/** Sets all ports at once, for users of several instances. */
export const portBase = {
  flag: '--port-base <port>',
  variable: 'U7S_PORT_BASE',
  verbs: ['up'],
  help: 'the first of four ports in a row, for API, kubelet, Flannel and etcd',
} as const;

/** The ports in a row, from `base` on. */
export function portsFrom(base: number): Record<string, number> {
  return Object.fromEntries(
    settingEntries.flatMap(([name, { portOffset }]) =>
      portOffset === undefined ? [] : [[name, base + portOffset]],
    ),
  );
}

const labelName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelPrefix = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The reserved labels that the admission plugin NodeRestriction lets a kubelet set on its own node. */
const permittedLabels =
  /^(([^/]+\.)?(kubelet|node)\.kubernetes\.io\/.*|topology\.kubernetes\.io\/(region|zone))$/;

function nodeLabels(z: Zod) {
  const values = z.record(z.string(), z.string('write the value of a label in quotes'));
  return values.superRefine((labels, context) => {
    for (const [key, value] of Object.entries(labels)) {
      const [name = '', prefix, ...more] = key.split('/').reverse();
      const isKey =
        labelName.test(name) && (prefix === undefined || labelPrefix.test(prefix)) && more.length === 0;
      if (!isKey || (value !== '' && !labelName.test(value))) {
        const message = `${key}=${value} is not a label of Kubernetes, such as disk=ssd or example.org/rack=r1`;
        context.addIssue({ code: 'custom', message });
      } else if (/(^|\.)(kubernetes|k8s)\.io\//.test(key) && !permittedLabels.test(key)) {
        const fixes = [
          `give it a prefix of your own, such as example.org/${name}`,
          u7s(['kubectl', 'label', 'node', 'NAME', `${key}=${value}`], {
            text: 'or set it as an administrator after the node has joined',
          }),
        ];
        const message = `NodeRestriction forbids a kubelet to set ${key}: Kubernetes reserves that prefix`;
        context.addIssue({ code: 'custom', message, params: { fixes } });
      }
    }
  });
}

function portSpec(z: Zod) {
  return z.string().transform((text, context): PortSpec => {
    try {
      return parsePortSpec(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });
}

/** Where the search for a free port begins, if nobody names a port. */
export const defaultPorts = {
  apiPort: table.apiPort.default,
  kubeletPort: table.kubeletPort.default,
  flannelPort: table.flannelPort.default,
};
export type PortField = keyof typeof defaultPorts;
