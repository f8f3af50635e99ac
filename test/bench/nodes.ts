import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { makeHosts, removeHosts, type TestHost } from '../e2e/hosts.js';
import { describeMachine, findOwner, installedArtifacts, load } from './machine.js';
import { median, spread, table } from './statistics.js';

const image = 'localhost/netcheck:1';
const sinkPort = 9000;
/** The tap's largest, and that of an Ethernet, with which packets need not be cut on their way. */
const mtus = [65_520, 1_500];

type Figures = { join: number[]; pods: number[]; bare: number[] };

/** Two hosts of our own: how long a join takes, and what pods of different nodes get through. Wants root. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string', default: '5' } } });
  console.log(await describeMachine());
  await installedArtifacts(await findOwner());
  const results = new Map<number, Figures>();
  const [a, b] = await makeHosts(2);
  if (a === undefined || b === undefined) throw new Error('two hosts are needed');
  try {
    for (const mtu of mtus) results.set(mtu, await measure(a, b, mtu, Number(values.rounds)));
  } finally {
    for (const host of [b, a]) await host.u7s('cleanup');
    await removeHosts(2);
  }
  const rows = [...results].map(([mtu, { join, pods, bare }]) => {
    const ratios = pods.map((value, index) => value / (bare[index] ?? NaN));
    return [String(mtu), spread(join), spread(pods, 0), spread(bare, 0), spread(ratios)];
  });
  const head = [
    'MTU of the tap',
    'join → Ready, s',
    'pod → pod, Mbit/s',
    'netns → host, Mbit/s',
    'ratio of a pair',
  ];
  console.log(`\n${table(head, rows)}`);
  const [large, small] = mtus.map((mtu) => median(results.get(mtu)?.pods ?? []));
  console.log(`pod → pod, MTU 65520 ÷ 1500: ${((large ?? NaN) / (small ?? NaN)).toFixed(1)}`);
  console.log(`load at the end: ${load()}`);
}

async function measure(a: TestHost, b: TestHost, mtu: number, rounds: number): Promise<Figures> {
  const figures: Figures = { join: [], pods: [], bare: [] };
  await a.u7s('cleanup');
  const folder = await mkdtemp(join(tmpdir(), 'u7s-bench-'));
  await chmod(folder, 0o755);
  const file = async (name: string, content: unknown): Promise<string> => {
    await writeFile(join(folder, name), JSON.stringify(content), { mode: 0o644 });
    return join(folder, name);
  };
  const netcheck = (await a.ok('artifacts', 'list', '-o', 'json')).match(/"netcheck": "([^"]+)"/)?.[1] ?? '';
  const sink = execa(b.inside[0] ?? '', [...b.inside.slice(1), netcheck, 'serve', `:${sinkPort}`], {
    reject: false,
  });
  try {
    await a.ok(
      'up',
      'default-containerd',
      '-d',
      '--host-ip',
      a.address,
      '--config',
      await file('cluster.yaml', { mtu }),
    );
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await b.ok('leave');
      const line = (await a.ok('join-command')).trim().split(' ').slice(1);
      const start = performance.now();
      await b.ok(...line);
      figures.join.push((performance.now() - start) / 1000);
    }
    await a.ok('kubectl', 'apply', '-f', await file('pods.json', pods(a, b)));
    await a.ok('kubectl', 'wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s');
    const target = await a.ok('kubectl', 'get', 'pod', 'to', '-o', 'jsonpath={.status.podIP}');
    for (let round = 0; round < rounds; round++) {
      const exec = ['kubectl', 'exec', 'from', '--', '/netcheck'];
      figures.pods.push(await throughput(a, exec, `${target}:8080`));
      figures.bare.push(await throughput(a, ['shell', netcheck], `${b.address}:${sinkPort}`));
      console.error(
        `MTU ${mtu}, ${round + 1}: ${figures.pods.at(-1)} ${figures.bare.at(-1)} (load ${load()})`,
      );
    }
    await b.ok('leave');
    return figures;
  } finally {
    sink.kill();
    await sink;
    await rm(folder, { recursive: true });
  }
}

function pods(a: TestHost, b: TestHost): object {
  const pod = (name: string, nodeName: string): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image, imagePullPolicy: 'Never', args: ['serve', ':8080'] }],
    },
  });
  return { apiVersion: 'v1', kind: 'List', items: [pod('from', a.name), pod('to', b.name)] };
}

/** Mbit/s, over two seconds. */
async function throughput(from: TestHost, netcheck: readonly string[], target: string): Promise<number> {
  const probes = JSON.stringify([{ kind: 'throughput', target, within: 2_000 }]);
  const [result] = JSON.parse(await from.ok(...netcheck, 'probe', probes)) as { bitsPerSecond?: number }[];
  return Math.round((result?.bitsPerSecond ?? 0) / 1e6);
}
