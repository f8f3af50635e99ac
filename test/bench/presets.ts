import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { binaryOf } from '#src/plan/artifacts.js';
import { defaultNodeName } from '#src/settings/node-name.js';
import { renderRuntimeWrapper } from '#src/runtimes/runc-without-cgroups.js';
import { processTree } from '../e2e/account.js';
import { busyboxImage, loadBusybox } from '../e2e/pods.js';
import { asOwner, describeMachine, findOwner, installedArtifacts, load, type Owner } from './machine.js';
import { observe } from './observer.js';
import { median, spread, table } from './statistics.js';

const cluster = 'bench';
/** Until the processes of a cluster that is up have done what follows a start. */
const settleMs = 20_000;
const limitMs = 180_000;

type Sample = { up: number; node?: number; pod?: number; memory: number; processes: number };

/** Starts each preset cold, in turn, and weighs everything that then runs; then what the OCI wrapper costs a container. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      containers: { type: 'string', default: '100' },
      presets: { type: 'string', default: 'default-containerd,default-docker,default-docker-nokube' },
      'api-port': { type: 'string', default: '6521' },
    },
  });
  const owner = await findOwner();
  const presets = values.presets.split(',');
  const apiPort = Number(values['api-port']);
  for (const preset of presets) {
    await asOwner(owner, [...owner.u7s, 'artifacts', 'fetch', '--preset', preset]);
  }
  console.log(await describeMachine());
  const samples = new Map<string, Sample[]>(presets.map((preset) => [preset, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const preset of presets) {
      const sample = await measure(owner, preset, apiPort);
      samples.get(preset)?.push(sample);
      console.error(`${preset}: ${JSON.stringify(sample)} (load ${load()})`);
    }
  }
  const { bare, wrapped } = await containers(owner, apiPort, Number(values.containers));
  console.log(`
${table(
  ['preset', 'up, s', 'node Ready, s', 'first pod Running, s', 'memory of all (PSS), MiB', 'processes'],
  presets.map((preset) => rowOf(preset, samples.get(preset) ?? [])),
)}
${table(
  ['one container after another, ms', 'median (least–greatest)', 'runs'],
  [
    ['runc', spread(bare, 0), String(bare.length)],
    ['the wrapper', spread(wrapped, 0), String(wrapped.length)],
    [
      'difference of a pair',
      spread(
        wrapped.map((each, index) => each - (bare[index] ?? NaN)),
        1,
      ),
      '',
    ],
    ['wrapper ÷ runc, medians', (median(wrapped) / median(bare)).toFixed(3), ''],
  ],
)}
load at the end: ${load()}`);
}

function rowOf(preset: string, samples: Sample[]): string[] {
  const of = (kind: keyof Sample, digits: number): string => {
    const values = samples.flatMap((sample) => sample[kind] ?? []);
    return values.length === 0 ? '-' : spread(values, digits);
  };
  return [preset, of('up', 2), of('node', 2), of('pod', 2), of('memory', 0), of('processes', 0)];
}

async function measure(owner: Owner, preset: string, apiPort: number): Promise<Sample> {
  const { u7s, paths } = owner;
  const signal = AbortSignal.timeout(limitMs);
  await asOwner(owner, [...u7s, '--cluster', cluster, 'cleanup']);
  try {
    const begin = performance.now();
    const observed = {
      server: `https://127.0.0.1:${apiPort}`,
      pki: paths(cluster).pki,
      nodeName: defaultNodeName(hostname()),
    };
    const observation = preset.endsWith('nokube') ? undefined : observe(observed, signal);
    observation?.catch(() => undefined); // awaited below, after the launcher's own failure
    await asOwner(owner, [...u7s, '--cluster', cluster, 'up', preset, '--api-port', String(apiPort), '-d']);
    const up = (performance.now() - begin) / 1000;
    const { node, pod } = (await observation) ?? {};
    await delay(settleMs);
    return {
      up,
      ...(node === undefined ? {} : { node }),
      ...(pod === undefined ? {} : { pod }),
      ...(await memoryOfAll(owner)),
    };
  } finally {
    await asOwner(owner, [...u7s, '--cluster', cluster, 'cleanup']);
  }
}

/** MiB, shared pages divided among those who share them: launcher, namespaces, services and pods. */
async function memoryOfAll(owner: Owner): Promise<{ memory: number; processes: number }> {
  const status = await asOwner(owner, [...owner.u7s, '--cluster', cluster, 'status', '-o', 'json']);
  const { launcherPid } = JSON.parse(status) as { launcherPid: number };
  const tree = await processTree(launcherPid);
  const sizes = await Promise.all(
    tree.map(async ({ pid }) => {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024;
    }),
  );
  return { memory: sizes.reduce((sum, size) => sum + size, 0), processes: tree.length };
}

/** By runc itself and by the wrapper, each first as often as the other, and each told to use no cgroup, so that both can. */
const life = `
now() { date +%s%N; }
one() {
  start=$(now)
  ctr -n k8s.io run --rm --cgroup "" --cpu-shares 0 --runc-binary "$1" ${busyboxImage} bench true
  taken=$(($(now) - start))
}
i=0
while [ $i -lt "$3" ]; do
  if [ $((i % 2)) = 0 ]; then one "$1"; bare=$taken; one "$2"; wrapped=$taken
  else one "$2"; wrapped=$taken; one "$1"; bare=$taken; fi
  echo $bare $wrapped
  i=$((i + 1))
done`;

async function containers(
  owner: Owner,
  apiPort: number,
  count: number,
): Promise<{ bare: number[]; wrapped: number[] }> {
  const { u7s, paths } = owner;
  const ofCluster = [...u7s, '--cluster', cluster];
  process.env['U7S_CLUSTER'] = cluster;
  await asOwner(owner, [...ofCluster, 'up', 'default-containerd', '--api-port', String(apiPort), '-d']);
  try {
    await loadBusybox();
    const runc = binaryOf(await installedArtifacts(owner))('runc');
    const wrapper = `${paths(cluster).state}/wrapper`;
    await asOwner(
      owner,
      ['sh', '-c', `cat >${wrapper} && chmod 0700 ${wrapper}`],
      Buffer.from(renderRuntimeWrapper(runc)),
    );
    // The first unpacks the image.
    await asOwner(owner, [...ofCluster, 'shell', '--', 'sh', '-c', life, 'sh', runc, wrapper, '1']);
    const words = [...ofCluster, 'shell', '--', 'sh', '-euc', life, 'sh', runc, wrapper, String(count)];
    const pairs = (await asOwner(owner, words))
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ').map((nanoseconds) => Number(nanoseconds) / 1e6));
    return { bare: pairs.map(([first = NaN]) => first), wrapped: pairs.map(([, second = NaN]) => second) };
  } finally {
    await asOwner(owner, [...ofCluster, 'cleanup']);
  }
}
