import type { Report } from '../../lib/events.js';
import type { DependencyCondition, ServiceDefinition } from '../../supervisor/definition.js';

/** One step of a start, or one service from its spawn until it was ready. Times in milliseconds since the start began. */
export type Bar = {
  /** That of the step's events: `pki`, `service/etcd`. */
  id: string;
  title: string;
  start: number;
  end: number;
  /** By id: what had to happen to others before. */
  dependsOn: Record<string, DependencyCondition>;
};

export type Timeline = {
  cluster: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** In the order of their start. */
  bars: Bar[];
};

export type TimelineRecorder = {
  /** Hears every event of the start, and passes it on. */
  report: Report;
  /** Times work that reports no step of its own. */
  time<T>(id: string, title: string, work: () => Promise<T>): Promise<T>;
  finish(cluster: string, services: readonly ServiceDefinition[]): Timeline;
};

/** What the steps besides the services wait for. */
const stepDependencies: Record<string, Record<string, DependencyCondition>> = {
  host: {},
  artifacts: { host: 'completed' },
  pki: { artifacts: 'completed' },
  images: { artifacts: 'completed' },
  namespaces: { artifacts: 'completed' },
  node: { 'service/kube-apiserver': 'ready', 'service/kubelet': 'ready' },
  dns: {
    node: 'completed',
    'service/kube-controller-manager': 'ready',
    'service/kube-scheduler': 'ready',
    'service/kube-proxy': 'ready',
  },
};

const beforeServices = { pki: 'completed', images: 'completed', namespaces: 'completed' } as const;

/** Follows a start. `now` is in milliseconds since the epoch. */
export function createTimelineRecorder(passOn: Report, now: () => number = Date.now): TimelineRecorder {
  const startedAt = now();
  const spans = new Map<string, { title: string; start: number; end?: number }>();
  const begin = (id: string, title: string): void => {
    if (!spans.has(id)) spans.set(id, { title, start: now() - startedAt });
  };
  const end = (id: string): void => {
    const span = spans.get(id);
    if (span) span.end = now() - startedAt;
  };
  return {
    report: (event) => {
      if (event.kind === 'step' && (event.id.startsWith('service/') || event.id in stepDependencies)) {
        if (event.state === 'started') begin(event.id, event.title);
        if (event.state === 'done') end(event.id);
      }
      passOn(event);
    },
    time: async (id, title, work) => {
      begin(id, title);
      const result = await work();
      end(id);
      return result;
    },
    finish: (cluster, services) => {
      const dependencies = { ...stepDependencies, ...serviceDependencies(services) };
      const bars = [...spans].flatMap(([id, { end, ...span }]) =>
        end === undefined ? [] : [{ id, ...span, end, dependsOn: dependencies[id] ?? {} }],
      );
      return { cluster, startedAt, bars: bars.sort((a, b) => a.start - b.start) };
    },
  };
}

function serviceDependencies(services: readonly ServiceDefinition[]): Record<string, Bar['dependsOn']> {
  return Object.fromEntries(
    services.map(({ name, dependsOn }) => {
      const others = Object.entries(dependsOn).map(([other, condition]) => [`service/${other}`, condition]);
      return [`service/${name}`, others.length > 0 ? Object.fromEntries(others) : beforeServices];
    }),
  );
}

/**
 * The bars that decided how long it took: the one that ended last, the dependency that it waited for longest, and so on
 * back to the beginning. Making another bar shorter would not have helped.
 */
export function criticalPath(bars: readonly Bar[]): string[] {
  const byId = new Map(bars.map((bar) => [bar.id, bar]));
  const path: string[] = [];
  let current = bars.reduce<Bar | undefined>(
    (last, bar) => (last && last.end >= bar.end ? last : bar),
    undefined,
  );
  while (current !== undefined && !path.includes(current.id)) {
    path.unshift(current.id);
    const { end, dependsOn } = current;
    let latest: { bar: Bar; at: number } | undefined;
    for (const [id, condition] of Object.entries(dependsOn)) {
      const bar = byId.get(id);
      if (bar === undefined) continue;
      const at = condition === 'started' ? bar.start : bar.end;
      // What happened only after the end cannot have been waited for.
      if (at <= end && (latest === undefined || at > latest.at)) latest = { bar, at };
    }
    current = latest?.bar;
  }
  return path;
}

/** From the beginning of the first bar to the end of the last, in milliseconds. */
export function duration(bars: readonly Bar[]): number {
  return Math.max(0, ...bars.map(({ end }) => end));
}
