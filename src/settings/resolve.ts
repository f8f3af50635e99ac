import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadPreset } from './presets.js';
import type { Settled } from './remembered.js';
import { parseSettings, type Settings, type SettingsInput, type PortField } from './schema.js';
import { UsageError, errnoOf, messageOf } from '../lib/errors.js';
import { parsePort } from '../cli/options/values.js';

export type SettingsFlags = {
  artifacts?: Settings['artifacts'];
  artifact?: Settings['artifactPaths'];
  nodeName?: string;
  apiPort?: number;
  kubeletPort?: number;
  flannelPort?: number;
  portBase?: number;
  hostIp?: string;
  apiAddress?: string;
  publishAddress?: string;
  publish?: string[];
  expose?: boolean;
  config?: string;
};

/** A cluster that is to be started. */
export type Start = {
  /** What an earlier start has settled. */
  settled: Settled;
  /** Artifacts that it was given once by path; each stays until another is given. */
  artifactPaths?: Settings['artifactPaths'];
  /** What the control plane that is about to be joined decides. */
  given?: Settled;
  /** Finds a free port near one that nobody has named. */
  freePort: (field: PortField, address: string) => Promise<number>;
};

/**
 * What the cluster is asked to be: flags over environment over file over what it was over preset. What a node has joined
 * with it keeps.
 */
export async function resolveSettings(
  { env, projectRoot }: { env: Record<string, string | undefined>; projectRoot: string },
  cluster: string,
  preset: string,
  flags: SettingsFlags,
  start?: Start,
): Promise<Settings> {
  const [fromPreset, fromFile] = await Promise.all([
    loadPreset(join(projectRoot, 'config/presets'), preset),
    readDescription(flags.config),
  ]);
  const settled = start?.settled ?? {};
  const asked: Partial<SettingsInput> = {
    ...fromFile,
    ...fromEnvironment(env),
    ...portsFrom(flags.portBase),
    ...given({
      artifacts: flags.artifacts,
      nodeName: flags.nodeName,
      apiPort: flags.apiPort,
      kubeletPort: flags.kubeletPort,
      flannelPort: flags.flannelPort,
      hostIp: flags.hostIp,
      apiAddress: flags.apiAddress,
      publishAddress: flags.publishAddress,
      publish: flags.publish,
      // Without --no-expose the description decides.
      expose: flags.expose === false ? false : undefined,
    }),
  };
  if (settled.controlPlane !== undefined) requireSame(settled, asked);
  const chosen = {
    nodeName: defaultNodeName(hostname()),
    ...fromPreset,
    ...settled,
    ...asked,
    ...start?.given,
  };
  const free = start === undefined ? {} : await freePorts(chosen, start.freePort);
  const artifactPaths = {
    ...start?.artifactPaths,
    ...fromPreset.artifactPaths,
    ...fromFile.artifactPaths,
    ...flags.artifact,
  };
  return parseSettings({ ...free, ...chosen, artifactPaths, name: cluster, preset });
}

function requireSame(settled: Settled, asked: Partial<SettingsInput>): void {
  for (const [field, was] of Object.entries(settled)) {
    const now = asked[field as keyof SettingsInput];
    if (now === undefined || now === was) continue;
    throw new UsageError(
      'todo',
      `this node has joined ${settled.controlPlane} with ${field} ${JSON.stringify(was)}, which cannot become ${JSON.stringify(now)}`,
      'leave the cluster and join it anew: u7s leave',
    );
  }
}

async function freePorts(
  chosen: Partial<SettingsInput>,
  freePort: Start['freePort'],
): Promise<Partial<SettingsInput>> {
  const { hostIp, listenAddress = hostIp, controlPlane } = chosen;
  const { apiAddress = listenAddress ?? '127.0.0.1' } = chosen;
  const forNodes = hostIp === undefined ? undefined : listenAddress;
  const places: [PortField, string | undefined][] = [
    ['apiPort', controlPlane === undefined ? apiAddress : undefined],
    ['kubeletPort', forNodes],
    ['flannelPort', forNodes],
  ];
  const found = places.map(async ([field, address]) =>
    address === undefined || chosen[field] !== undefined ? [] : [[field, await freePort(field, address)]],
  );
  return Object.fromEntries((await Promise.all(found)).flat()) as Partial<SettingsInput>;
}

/** All ports of a cluster in one word, for who runs several. */
function portsFrom(base: number | undefined): Partial<SettingsInput> {
  if (base === undefined) return {};
  return { apiPort: base, kubeletPort: base + 1, flannelPort: base + 2, etcdPort: base + 3 };
}

export function fromEnvironment(env: Record<string, string | undefined>): Partial<SettingsInput> {
  const either = (ours: string, gen2: string): string | undefined => env[ours] || env[gen2] || undefined;
  return given({
    ...portsFrom(portOf(env, 'U7S_PORT_BASE')),
    nodeName: either('U7S_NODE_NAME', 'NODE_NAME'),
    hostIp: either('U7S_HOST_IP', 'HOST_IP'),
    listenAddress: env['U7S_LISTEN_ADDRESS'] || undefined,
    nodeSubnet: either('U7S_NODE_SUBNET', 'NODE_SUBNET'),
    ...given({
      apiPort: portOf(env, 'U7S_API_PORT') ?? portOf(env, 'PORT_KUBE_APISERVER'),
      kubeletPort: portOf(env, 'PORT_KUBELET'),
      flannelPort: portOf(env, 'PORT_FLANNEL'),
      etcdPort: portOf(env, 'PORT_ETCD'),
    }),
    apiAddress: env['U7S_API_ADDRESS'] || undefined,
    publishAddress: env['U7S_PUBLISH_ADDRESS'] || undefined,
    publish: env['U7S_ROOTLESSKIT_PORTS']?.match(/\S+/g) ?? undefined,
    artifacts: (env['U7S_ARTIFACTS'] || undefined) as SettingsInput['artifacts'],
  });
}

function portOf(env: Record<string, string | undefined>, name: string): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  const port = parsePort(text);
  if (port === undefined) {
    throw new UsageError('todo', `${name}=${text} is not a port`, 'set it to a number from 1 to 65535');
  }
  return port;
}

/** `u7s-<hostname>` as Usernetes has always named its nodes, made to fit a DNS label. */
export function defaultNodeName(host: string): string {
  const label = `u7s-${host.toLowerCase().split('.')[0] ?? ''}`.replaceAll(/[^-a-z0-9]/g, '-');
  return label.slice(0, 40).replace(/-+$/, '');
}

async function readDescription(file: string | undefined): Promise<Partial<SettingsInput>> {
  if (file === undefined) return {};
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = { ENOENT: 'there is no such file', EACCES: 'permission denied' }[errnoOf(error) ?? ''];
    throw new UsageError(
      'todo',
      `cannot read the cluster's description ${file}: ${why ?? messageOf(error)}`,
      `check the path; it is read by ${userInfo().username} in ${process.cwd()}`,
    );
  });
  const wrong = (why: string): UsageError =>
    new UsageError(
      'todo',
      `${file} does not describe a cluster: ${why}`,
      'write it like this: podCidr: 10.88.0.0/16',
    );
  let description: unknown;
  try {
    description = parse(text) ?? {};
  } catch (error) {
    throw wrong(messageOf(error).split('\n')[0]?.replace(/:$/, '') ?? '');
  }
  if (typeof description !== 'object' || description === null || Array.isArray(description)) {
    throw wrong('it is no map of fields');
  }
  return description;
}

/** Without the keys that were not given, so that they do not hide what stands below. */
function given(values: {
  [K in keyof SettingsInput]?: SettingsInput[K] | undefined;
}): Partial<SettingsInput> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
