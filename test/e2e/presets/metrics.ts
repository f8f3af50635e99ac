import { setTimeout as sleep } from 'node:timers/promises';
import { container, pod } from '../pods.js';
import { until } from '../running-cluster.js';
import { apply, kubectl, ok } from '../shell.js';
import type { Check } from './kubernetes.js';

/** Holds 100 MiB and burns as much processor as it gets. */
const hog = `a=0123456789abcdef; while [ \${#a} -lt 104857600 ]; do a=$a$a; done; while :; do :; done`;

type Metrics = { containers: { usage: { cpu: string; memory: string } }[] };

export const metricsChecks: Readonly<Record<string, Check>> = {
  'kubectl top': async (t) => {
    await apply(pod('hog', hog), pod('idle', 'sleep 1000000'));
    await kubectl('wait', 'pod/hog', 'pod/idle', '--for=condition=Ready', '--timeout=60s');
    await until(async () => (await used('hog')).memory > 90 * 1024, 60_000);
    // The first rates are of the time in which it began.
    await sleep(5_000);
    const [busy, idle] = [await used('hog'), await used('idle')];
    // The shell doubles it up to 128 MiB.
    t.true(busy.memory >= 128 * 1024 * 0.9 && busy.memory <= 128 * 1024 * 1.1, `${busy.memory} KiB`);
    t.true(busy.cpu >= 100, `${busy.cpu}m on a machine that does much else`);
    t.true(idle.cpu <= 10 && idle.memory < 8 * 1024, `idle: ${idle.cpu}m, ${idle.memory} KiB`);
    t.regex(await kubectl('top', 'node', '--no-headers'), /^u7s-\S+ +[1-9]\d*m +\d+% +[1-9]\d*Mi +\d+%/);
    t.regex(await kubectl('top', 'pod', '-l', 'app=hog', '--no-headers'), /^hog +\d{3,}m +1[1-4]\dMi *$/m);
    t.regex(await ok('bin/u7s.js', ['top']), /^default +hog +\d+m +1[1-4]\dMi$/m);
    await kubectl('delete', 'pod', 'hog', 'idle', '--wait=false');
  },
};

/** A Deployment that burns until /tmp/stop is there, and who scales it. */
export const scaled = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'load' },
    spec: {
      selector: { matchLabels: { app: 'load' } },
      template: {
        metadata: { labels: { app: 'load' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              ...container('while [ ! -e /tmp/stop ]; do :; done; exec sleep 1000000'),
              resources: { requests: { cpu: '50m' } },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'load' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'load' },
      minReplicas: 1,
      maxReplicas: 2,
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
      ],
    },
  },
];

export async function replicas(): Promise<number> {
  return Number(await kubectl('get', 'deployment', 'load', '-o', 'jsonpath={.spec.replicas}'));
}

/** Thousandths of a processor, and KiB; nothing while they are not known. */
async function used(name: string): Promise<{ cpu: number; memory: number }> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/${name}`;
  const text = await kubectl('get', '--raw', path).catch(() => '{"containers":[]}');
  const [only] = (JSON.parse(text) as Metrics).containers;
  if (only === undefined) return { cpu: 0, memory: 0 };
  return { cpu: parseInt(only.usage.cpu) / 1e6, memory: parseInt(only.usage.memory) };
}
