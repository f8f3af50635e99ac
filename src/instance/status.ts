import { setTimeout as sleep } from 'node:timers/promises';
import pidusage from 'pidusage';
import type { KubeObject } from '../kube/object.js';
import { pressures, type NodeCondition, type Pressure } from '../kube/pressure.js';
import { messageOf } from '../lib/errors.js';
import { descendantsOf, namespacePids } from '../lib/processes.js';
import { certificateExpiries } from '../pki/inspect.js';
import { portRow, type PortRow } from '../rootless/port.js';
import type { ServiceStatus } from '../supervisor/definition.js';
import { withClient } from '../kube/connect.js';
import { identityFiles } from '../pki/identity.js';
import { instancePorts, instanceStatus } from '../launcher/client.js';
import type { InstanceContext } from './context.js';
import type { InstanceStatus } from '../launcher/status.js';
import { administrator } from '../settings/role.js';

export type ServiceReport = ServiceStatus & {
  /** The process as the host numbers it; `pid` is its number in the node's PID namespace. */
  hostPid?: number;
  /** Percent of one processor since the look before. */
  cpu?: number;
  /** Resident bytes. */
  memory?: number;
};

export type NodeReport = {
  name: string;
  ready: boolean;
  version?: string;
  problem?: string;
  /** What the node is short of, by the names of its conditions. */
  pressure?: Pressure[];
};

export type StatusReport = InstanceStatus & {
  services: ServiceReport[];
  /** Missing without Kubernetes. */
  node?: NodeReport;
  /** None while the node is down. */
  ports: PortRow[];
  /** Name to the end of its validity, in ISO 8601. */
  certificates: Record<string, string>;
};

/** The API server is asked for no longer; it may be what is broken. */
const apiTimeoutMs = 3_000;

type Where = Pick<InstanceContext, 'paths' | 'signal'>;

/**
 * Everything that can be known of an instance; undefined when it does not run. All of the work is done here, in the
 * process that asks, and none in those that keep the cluster. `sampleMs` is the time over which the use of processors is
 * measured; 0 measures since the call before.
 */
export async function statusReport(
  context: Where,
  sampleMs = firstSampleMs,
): Promise<StatusReport | undefined> {
  const { paths, signal } = context;
  const status = await instanceStatus(paths.controlSocket, signal);
  if (status === undefined) return undefined;
  const [services, node, ports, certificates] = await Promise.all([
    withUsage(status, sampleMs, signal),
    nodeReport(status, context),
    portRows(context),
    certificateExpiries(paths.pki),
  ]);
  return {
    ...status,
    services,
    ...(node === undefined ? {} : { node }),
    ports,
    certificates,
  };
}

async function portRows({ paths, signal }: Where): Promise<PortRow[]> {
  try {
    return (await instancePorts(paths.controlSocket).list(signal)).map(portRow);
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

const firstSampleMs = 250;

/** Whether all is as it should be. */
export function isWhole({ phase, node }: Pick<StatusReport, 'phase' | 'node'>): boolean {
  return phase === 'running' && node?.ready !== false && node?.pressure === undefined;
}

export async function nodeReport(
  { role, nodeName: name, apiServer: server }: InstanceStatus,
  { paths, signal }: Where,
): Promise<NodeReport | undefined> {
  if (role === undefined || name === undefined || server === undefined) return undefined;
  try {
    const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
    const node = await withClient({ server, ...identityFiles(paths.pki, administrator(role)) }, (client) =>
      client.get<Node>(path, { signal, timeoutMs: apiTimeoutMs }),
    );
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    const version = node.status?.nodeInfo?.kubeletVersion;
    const pressure = pressures(node.status?.conditions);
    return {
      name,
      ready: ready?.status === 'True',
      ...(version === undefined ? {} : { version }),
      ...(ready === undefined || ready.status === 'True' ? {} : { problem: ready.message ?? 'not Ready' }),
      ...(pressure.length === 0 ? {} : { pressure }),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { name, ready: false, problem: messageOf(error) };
  }
}

type Node = KubeObject & {
  status?: {
    conditions?: NodeCondition[];
    nodeInfo?: { kubeletVersion?: string };
  };
};

async function withUsage(
  { services, launcherPid }: InstanceStatus,
  sampleMs: number,
  signal: AbortSignal,
): Promise<ServiceReport[]> {
  const hostPids = hostPidsBelow(launcherPid);
  const found = services.flatMap(({ pid }) => (pid === undefined ? [] : (hostPids.get(pid) ?? [])));
  if (sampleMs > 0) {
    await usageOf(found);
    await sleep(sampleMs, undefined, { signal });
  }
  const usage = await usageOf(found);
  return services.map((service) => {
    const hostPid = service.pid === undefined ? undefined : hostPids.get(service.pid);
    if (hostPid === undefined) return service;
    const used = usage[hostPid];
    return { ...service, hostPid, ...(used ? { cpu: used.cpu, memory: used.memory } : {}) };
  });
}

/** From a number in the node's PID namespace, the first inside ours, to the host's. Containers are one deeper. */
function hostPidsBelow(launcherPid: number): Map<number, number> {
  return new Map(
    descendantsOf(launcherPid).flatMap(({ pid }): [number, number][] => {
      const [own, inNode, ...deeper] = namespacePids(pid);
      return own === undefined || inNode === undefined || deeper.length > 0 ? [] : [[inNode, own]];
    }),
  );
}

async function usageOf(
  pids: number[],
): Promise<Record<number, { cpu: number; memory: number } | null | undefined>> {
  if (pids.length === 0) return {};
  return pidusage(pids).catch(() => ({})); // all of them ended meanwhile
}
