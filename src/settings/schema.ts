import { z } from 'zod';
import { UsageError, messageOf } from '../lib/errors.js';
import { nearest } from '../lib/nearest.js';
import { artifactNames } from '../artifacts/catalog.js';
import { parsePortSpec, type PortSpec } from '../rootless/port-spec.js';
import { runtimeNames } from './runtime-names.js';
import { tapNetwork } from '../rootless/network.js';
import { defaultDnsAddress, networkFaults } from './networks.js';
import { defaultCluster, namePattern } from './paths.js';

const dnsLabel = z.string().regex(namePattern, 'must be lower-case letters, digits and dashes, at most 40');

const network = z.cidrv4('must be an IPv4 network such as 10.88.0.0/16');
const address = z.ipv4('must be an IPv4 address');
const dnsName = z
  .string()
  .max(200)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    'must be a DNS name in lower case',
  );

const runtime = z.enum(runtimeNames, `must be one of ${runtimeNames.join(', ')}`);

const portSpec = z.string().transform((text, context): PortSpec => {
  try {
    return parsePortSpec(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
    return z.NEVER;
  }
});

const port = z.int().min(1).max(65535);

export const defaultPorts = { apiPort: 6443, kubeletPort: 10250, flannelPort: 8472, etcdPort: 2379 };
export type PortField = keyof typeof defaultPorts;

/** What a cluster is asked to be: preset, then file, then environment, then flags, each over the one before. */
const fields = z.strictObject({
  name: dnsLabel.default(defaultCluster),
  preset: z.string().default('default-containerd'),
  runtime: runtime.default('containerd'),
  /** False: the container runtime alone. */
  kubernetes: z.boolean().default(true),
  nodeName: dnsLabel,
  /** `https://HOST:PORT` of the control plane that the node has joined; without one it is itself the control plane. */
  controlPlane: z.url({ protocol: /^https$/ }).optional(),
  /** Address of the host by which other nodes reach this one; without one there are no others. */
  hostIp: address.optional(),
  /**
   * Address of the host that ports for others listen on, where that is not hostIp: in a container, whose engine leads
   * what comes to hostIp to an address of its own.
   */
  listenAddress: address.optional(),
  /** The node's own network, behind the host's: slirp4netns'. */
  nodeSubnet: network.default(tapNetwork),
  /** Without hostIp 10.88.0.0/16; else 10.5.0.0/16, of which each node gets a /24. */
  podCidr: network.optional(),
  serviceCidr: network.default('10.0.0.0/24'),
  /** Networks of docker's containers, each a /24 of it. */
  dockerCidr: network.default('10.89.0.0/16'),
  /** In `serviceCidr`; number 53 of it if not given. */
  dnsAddress: address.optional(),
  dnsDomain: dnsName.default('cluster.local'),
  /** Host address and port the Kubernetes API is published on; the address is listenAddress or hostIp if not given, else 127.0.0.1. */
  apiAddress: address.optional(),
  apiPort: port.default(defaultPorts.apiPort),
  /** Published on listenAddress: the kubelet for the API server, UDP for the pods' network, which is the same on all nodes. */
  kubeletPort: port.default(defaultPorts.kubeletPort),
  flannelPort: port.default(defaultPorts.flannelPort),
  /** The first of three inside the namespaces, of which the host sees nothing. */
  etcdPort: port.default(defaultPorts.etcdPort),
  /** Whether NodePort and LoadBalancer Services and host ports of pods are published on the host, and at which address. */
  expose: z.boolean().default(true),
  publishAddress: address.optional(),
  /** Ports published at each start, in RootlessKit's form: `127.0.0.1:8080:80/tcp`. */
  publish: z.array(portSpec).default([]),
  /** MTU of the tap; 65520 is the largest slirp4netns takes. */
  mtu: z.int().min(1280).max(65520).default(65520),
  artifacts: z.enum(['auto', 'download', 'build', 'host']).default('auto'),
  /** By artifact: a program, or the folder of several, to be used instead of what `artifacts` would get. */
  artifactPaths: z.partialRecord(z.enum(artifactNames), z.string()).default({}),
});

export const settingsSchema = fields.transform((settings, context) => {
  const address = settings.listenAddress ?? settings.hostIp ?? '127.0.0.1';
  const complete = {
    ...settings,
    listenAddress: settings.listenAddress ?? settings.hostIp,
    podCidr: settings.podCidr ?? (settings.hostIp === undefined ? '10.88.0.0/16' : '10.5.0.0/16'),
    dnsAddress: settings.dnsAddress ?? defaultDnsAddress(settings.serviceCidr),
    apiAddress: settings.apiAddress ?? address,
    publishAddress: settings.publishAddress ?? address,
  };
  for (const { field, message } of networkFaults(complete)) {
    context.addIssue({ code: 'custom', path: [field], message });
  }
  return complete;
});

export type Settings = z.output<typeof settingsSchema>;
export type SettingsInput = z.input<typeof settingsSchema>;

/** Checks and completes `input`; the error names every wrong field. */
export function parseSettings(input: SettingsInput): Settings {
  const parsed = settingsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const unknown = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [],
  );
  const faults = parsed.error.issues
    .filter(({ code }) => code !== 'unrecognized_keys')
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new UsageError(
    'todo',
    `the cluster's description is wrong: ${[...unknown.map((key) => `there is no field ${key}`), ...faults].join('; ')}`,
    unknown.length > 0
      ? knownFields(unknown)
      : 'correct it where it comes from: a flag, U7S_* or the file of --config',
  );
}

function knownFields(unknown: readonly string[]): string {
  const known = Object.keys(fields.shape);
  const near = unknown.flatMap((key) => nearest(key, known) ?? []);
  return `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}Known: ${known.join(', ')}`;
}
