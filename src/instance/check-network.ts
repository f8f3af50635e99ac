import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../kube/client.js';
import { KubeError } from '../kube/errors.js';
import { waitForObject } from '../kube/wait.js';
import { readFacts } from '../membership/facts.js';
import { messageOf, U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { run } from '../lib/exec.js';
import { step, type Report } from '../lib/events.js';
import { asAdmin } from './admin-client.js';
import { instanceArtifacts } from './artifacts.js';
import type { InstanceContext } from './context.js';
import { prepareNetworkCheck } from './network-program.js';
import {
  mute,
  pairReport,
  probesTo,
  type Finding,
  type NodeInfo,
  type PairReport,
} from './network-report.js';

/** Sets a pod up on each node that is Ready, has each try to reach each, and takes them away again. */
export async function checkNetwork(context: InstanceContext): Promise<PairReport[]> {
  const { paths, report, signal } = context;
  return asAdmin(context, async (client) => {
    const artifacts = await instanceArtifacts(context, undefined, ['kubernetes']);
    const kubectl = artifacts.get('kubernetes')?.binaries.kubectl;
    if (kubectl === undefined) throw new Error('kubectl is missing');
    const image = await prepareNetworkCheck(context);
    const { dnsDomain, flannelPort } = await readFacts(client, signal);
    return checkPairs({
      client,
      kubectl,
      kubeconfig: paths.adminKubeconfig,
      image,
      dnsDomain,
      flannelPort,
      report,
      signal,
    });
  });
}

type NetworkCheck = {
  /** As administrator. */
  client: KubeClient;
  kubectl: string;
  kubeconfig: string;
  image: string;
  dnsDomain: string;
  flannelPort: number;
  report: Report;
  signal: AbortSignal;
};

/** A pod of ours on a node, and the ways to it. */
type Station = { node: NodeInfo; pod: string; podAddress: string; clusterAddress: string; nodePort: number };

/** Our pods run as root of theirs, which a cluster whose default is `restricted` would refuse. */
const checkNamespace = {
  generateName: 'usernetes-check-',
  labels: { 'pod-security.kubernetes.io/enforce': 'baseline' },
};
const stationLimitMs = 60_000;

async function checkPairs(check: NetworkCheck): Promise<PairReport[]> {
  const { client, report, signal } = check;
  const nodes = await readyNodes(client, signal);
  if (nodes.length === 0)
    throw new U7sError('no-node-ready', 'no node is Ready', {
      fixes: [u7s(['kubectl', 'get', 'nodes'], { text: 'see how they stand' })],
    });
  const { metadata } = (await client.request('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: checkNamespace },
    signal,
  })) as { metadata: { name: string } };
  try {
    const stations = await step(report, 'stations', `a pod on each of ${nodes.length} nodes`, () =>
      Promise.all(nodes.map((node, index) => setUp(check, metadata.name, `station-${index}`, node))),
    );
    const pairs: PairReport[] = [];
    // One after the other: two at once would take the throughput from each other.
    for (const from of stations) {
      const title = `from ${from.node.name}`;
      pairs.push(
        ...(await step(report, `from/${from.node.name}`, title, () =>
          tryAll(check, metadata.name, from, stations),
        )),
      );
    }
    return pairs;
  } finally {
    await client
      .request('DELETE', `/api/v1/namespaces/${metadata.name}`, { signal: AbortSignal.timeout(10_000) })
      .catch((error: unknown) =>
        report({
          kind: 'warning',
          text: `namespace ${metadata.name} is left over: ${messageOf(error)}`,
          code: 'namespace-left',
        }),
      );
  }
}

type Node = {
  metadata: { name: string };
  status: { conditions: { type: string; status: string }[]; addresses: { type: string; address: string }[] };
};

async function readyNodes(client: KubeClient, signal: AbortSignal): Promise<NodeInfo[]> {
  const { items } = await client.get<{ items: Node[] }>('/api/v1/nodes', { signal });
  return items
    .filter(({ status }) => status.conditions.some((each) => each.type === 'Ready' && each.status === 'True'))
    .map(({ metadata, status }) => ({
      name: metadata.name,
      address: status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '',
    }));
}

async function setUp(
  { client, image, signal }: NetworkCheck,
  namespace: string,
  name: string,
  node: NodeInfo,
): Promise<Station> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(stationLimitMs)]);
  const path = `/api/v1/namespaces/${namespace}`;
  const labels = { app: name };
  const service = (await client.request('POST', `${path}/services`, {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
    signal: limit,
  })) as { spec: { clusterIP: string; ports: { nodePort: number }[] } };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      nodeName: node.name,
      tolerations: [{ operator: 'Exists' }],
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [{ name: 'netcheck', image, imagePullPolicy: 'Never', args: ['serve', ':8080'] }],
    },
  };
  await untilAdmitted(() => client.request('POST', `${path}/pods`, { body: pod, signal: limit }), limit);
  const running = await waitForObject<Pod>(
    client,
    `${path}/pods`,
    name,
    (pod) => lacksImage(pod) || (pod.status?.phase === 'Running' && pod.status.podIP !== undefined),
    limit,
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new U7sError('no-pod-runs', `no pod runs on node ${node.name} within ${stationLimitMs / 1000} s`, {
      fixes: [u7s(['kubectl', 'describe', 'node', node.name], { text: 'see why' })],
      cause: error,
    });
  });
  if (lacksImage(running))
    throw new U7sError('no-network-check', `node ${node.name} does not have the program of the check`, {
      fixes: [u7s(['check', 'network', '--prepare'], { on: 'other-node', text: `of ${node.name}` })],
    });
  return {
    node,
    pod: name,
    podAddress: running.status?.podIP ?? '',
    clusterAddress: service.spec.clusterIP,
    nodePort: service.spec.ports[0]?.nodePort ?? 0,
  };
}

type Pod = {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  status?: {
    phase?: string;
    podIP?: string;
    containerStatuses?: { state?: { waiting?: { reason?: string } } }[];
  };
};

const lacksImage = ({ status }: Pod): boolean =>
  (status?.containerStatuses ?? []).some(({ state }) => state?.waiting?.reason === 'ErrImageNeverPull');

/** A new namespace gets the ServiceAccount without which no pod is admitted only after a moment. */
async function untilAdmitted(create: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await create();
      return;
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 403) throw error;
      await delay(100, undefined, { signal });
    }
  }
}

async function tryAll(
  { kubectl, kubeconfig, dnsDomain, flannelPort, signal }: NetworkCheck,
  namespace: string,
  from: Station,
  stations: readonly Station[],
): Promise<PairReport[]> {
  const probes = stations.map(({ node, ...station }) =>
    probesTo({
      ...station,
      nodeAddress: node.address,
      dnsName: `${station.pod}.${namespace}.svc.${dnsDomain}`,
    }),
  );
  const words = [
    '-n',
    namespace,
    'exec',
    from.pod,
    '--',
    '/netcheck',
    'probe',
    JSON.stringify(probes.flat()),
  ];
  const { exitCode, stdout, stderr } = await run(kubectl, ['--kubeconfig', kubeconfig, ...words], { signal });
  if (exitCode !== 0) {
    return mute(
      from.node,
      stations.map(({ node }) => node),
      stderr.trim().split('\n').at(-1) ?? '',
    );
  }
  const findings = JSON.parse(stdout) as Finding[];
  const each = findings.length / stations.length;
  return stations.map(({ node }, index) =>
    pairReport(from.node, node, findings.slice(index * each, (index + 1) * each), flannelPort),
  );
}
