import { readFile } from 'node:fs/promises';
import { ownAddress } from '../host/own-address.js';
import type { KubeClient } from '../kube/client.js';
import { createEventRecorder } from '../kube/events.js';
import { mirror, type MirrorOptions } from '../kube/mirror.js';
import { createBell } from '../lib/bell.js';
import { messageOf } from '../lib/errors.js';
import { warningOf } from '../lib/events.js';
import type { PublishPlan } from '../plan/types.js';
import type { Outcome } from '../rootless/claim.js';
import { withClient } from '../kube/connect.js';
import {
  desiredPorts,
  podOfInterest,
  serviceOfInterest,
  type HostFacts,
  type Pod,
  type Service,
} from './desired-ports.js';
import { askedBy, remarks, staleStatuses } from './port-remarks.js';
import type { Worker, WorkerContext } from './worker.js';

const component = 'usernetes-port-publisher';
/** Without any change the ports are compared again this often. */
const resyncMs = 30_000;
/** A port that could not be published is tried again, at first soon. */
const retryMs = { first: 500, longest: 10_000 };
/** So many faults in a row last longer than a restart of the API server. */
const faultsToWarn = 6;
/** RootlessKit answers within milliseconds. */
const publishLimitMs = 10_000;

/**
 * Keeps the ports that are published equal to the claims of Services and of the node's pods. Events and the Services' status
 * say what became of them.
 *
 *     Services, pods ──► claims ──► ports of the launcher ──► status.loadBalancer, Events
 */
export function portPublisher(plan: PublishPlan): Worker {
  return { name: 'port publisher', stage: 'api', run: (context, signal) => publish(plan, context, signal) };
}

async function publish(
  plan: PublishPlan,
  { ports, report }: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  const bell = createBell();
  const faults = new Map<string, number>();
  let services: ReadonlyMap<string, Service> | undefined;
  let pods: ReadonlyMap<string, Pod> | undefined;
  let outcomes: Outcome[] = [];

  async function run(client: KubeClient): Promise<void> {
    // Only pods that run: nothing serves the host ports of the others.
    const fieldSelector = `spec.nodeName=${plan.nodeName},status.phase=Running`;
    await Promise.all([
      mirror(
        client,
        follow('/api/v1/services', serviceOfInterest, (present) => (services = present)),
      ),
      mirror(
        client,
        follow(
          `/api/v1/pods?${new URLSearchParams({ fieldSelector }).toString()}`,
          podOfInterest,
          (present) => (pods = present),
        ),
      ),
      keepPublished(client),
    ]);
  }

  function follow<T>(
    path: string,
    keep: (object: T) => T | undefined,
    note: (present: ReadonlyMap<string, T>) => void,
  ): MirrorOptions<T, T> {
    const onChange = (present: ReadonlyMap<string, T>): void => {
      note(present);
      bell.ring();
    };
    return { path, keep, onChange, onFault: (error) => noteFault(path, error), signal };
  }

  async function keepPublished(client: KubeClient): Promise<void> {
    const recorder = createEventRecorder(client, { component, host: plan.nodeName });
    const nextWait = createPatience();
    let waitMs = Infinity;
    for (;;) {
      await bell.rung(waitMs, signal);
      if (signal.aborted) return;
      if (services === undefined || pods === undefined) continue;
      const missing = new Set(outcomes.filter(({ problem }) => problem !== undefined).map(askedBy));
      try {
        const host = await hostFacts(plan);
        const limit = AbortSignal.any([signal, AbortSignal.timeout(publishLimitMs)]);
        outcomes = await ports.publish(desiredPorts(services.values(), pods.values(), host), limit);
        noteFault('RootlessKit', undefined);
      } catch (error) {
        noteFault('RootlessKit', error);
        waitMs = nextWait(messageOf(error));
        continue;
      }
      waitMs = nextWait(outcomes.flatMap(({ problem }) => problem?.reason ?? []).join());
      if (plan.writesStatus) await updateStatuses(client, services.values());
      await recorder.record(remarks(outcomes, missing), signal);
    }
  }

  async function updateStatuses(client: KubeClient, present: Iterable<Service>): Promise<void> {
    const stale = staleStatuses(present, outcomes, ingressAddress(plan.publishAddress));
    for (const { service, ingress } of stale) {
      const { namespace, name, uid } = service.metadata;
      await client
        .request('PATCH', `/api/v1/namespaces/${namespace}/services/${name}/status`, {
          contentType: 'application/merge-patch+json',
          body: { metadata: { uid }, status: { loadBalancer: { ingress } } },
          signal,
        })
        .catch(() => undefined); // gone meanwhile; after any other fault the next comparison tries again
    }
  }

  function noteFault(source: string, error: unknown): void {
    const count = error === undefined ? 0 : (faults.get(source) ?? 0) + 1;
    faults.set(source, count);
    if (count !== faultsToWarn) return;
    report(warningOf(error, `ports may be out of date: ${messageOf(error)}; trying again`));
  }

  await withClient(plan.api, run);
}

/** How long to wait until the next comparison: longer each time as long as the same trouble persists. */
function createPatience(): (trouble: string) => number {
  let before = '';
  let failures = 0;
  return (trouble) => {
    failures = trouble === before ? failures + 1 : 0;
    before = trouble;
    return trouble === '' ? resyncMs : Math.min(retryMs.longest, retryMs.first * 2 ** failures);
  };
}

/** The address of load balancers: where they listen on all, the first that is not loopback. */
function ingressAddress(publishAddress: string): string {
  if (publishAddress !== '0.0.0.0') return publishAddress;
  return ownAddress() ?? '127.0.0.1';
}

async function hostFacts({ publishAddress, nodeAddress, allowed }: PublishPlan): Promise<HostFacts> {
  const lowest = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8');
  return {
    publishAddress,
    nodeAddress,
    unprivilegedFrom: Number(lowest),
    ...(allowed === undefined ? {} : { allowed }),
  };
}
