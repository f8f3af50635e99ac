import { messageOf } from '#src/lib/errors.js';
import { run, runOk } from '#src/lib/exec.js';
import type { KubeObject } from '#src/kube/object.js';
import { waitForDeploymentAvailable, waitForObject } from '#src/kube/wait.js';
import { limitMs, type Subject } from './subject.js';
import { until } from './until.js';

type Pod = KubeObject & {
  spec: { hostNetwork?: boolean };
  status?: { phase?: string };
};

const pods = '/api/v1/namespaces/default/pods';
const name = 'probe';
/** Whenever its containers were started, and on whichever node. */
const anyPod = { since: new Date(0), node: '' };

const probe = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name, image: 'localhost/pause:1', imagePullPolicy: 'Never' }],
  },
};

/**
 * What keeps the cluster from doing what it is for: its Deployment is up and reached through its Service, a new pod is
 * admitted, scheduled and run, and goes with its network interface when it is deleted.
 */
export async function runsPods(subject: Subject): Promise<string[]> {
  const client = await subject.client();
  const signal = AbortSignal.timeout(limitMs);
  try {
    await waitForDeploymentAvailable(client, 'kube-system', 'coredns', anyPod, signal);
    await until('names are resolved', () => resolvesNames(subject));
    await client.request('POST', pods, { body: probe, signal });
    await waitForObject<Pod>(client, pods, name, ({ status }) => status?.phase === 'Running', signal);
    await client.request('DELETE', `${pods}/${name}`, { signal });
    await until('as many pods as network interfaces of pods are there', async () => {
      const { items } = await client.get<{ items: Pod[] }>('/api/v1/pods', { signal });
      return (await podInterfaces(subject)) === items.length;
    });
    return [];
  } catch (error) {
    return [`pods do not run: ${messageOf(error)}`];
  } finally {
    client.close();
  }
}

const ask = `
  const resolver = new (require('dns').Resolver)({ timeout: 1000, tries: 1 });
  resolver.setServers(['10.0.0.53']);
  resolver.resolve4('kubernetes.default.svc.cluster.local', (error) => process.exit(error ? 1 : 0));`;

/** By CoreDNS, which is a pod, through its Service. */
async function resolvesNames(subject: Subject): Promise<boolean> {
  const { pid } = await subject.find('the supervisor');
  const inside = ['--net', `--target=${pid}`, process.execPath, '-e', ask];
  return (await run('nsenter', inside)).exitCode === 0;
}

async function podInterfaces(subject: Subject): Promise<number> {
  const { pid } = await subject.find('the supervisor');
  const links = await runOk('nsenter', [
    '--net',
    `--target=${pid}`,
    'ip',
    '-oneline',
    'link',
    'show',
    'type',
    'veth',
  ]);
  return links.split('\n').filter(Boolean).length;
}
