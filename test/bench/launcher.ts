import { execa } from 'execa';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { binaryOf } from '#src/plan/artifacts.js';
import { certificateInput } from '#src/plan/certificates.js';
import { parseSettings } from '#src/settings/schema.js';
import { certificateTable } from '#src/pki/certificates.js';
import { ours } from './launchers.js';
import {
  asOwner,
  describeMachine,
  findOwner,
  installedArtifacts,
  load,
  projectRoot,
  type Owner,
} from './machine.js';
import { median, spread, table } from './statistics.js';

/** Until the processes of a cluster that is up have done what follows a start. */
const settleMs = 30_000;

/** Measures what our launcher itself costs, and prints it as Markdown. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: 'string', default: '5' }, 'api-port': { type: 'string', default: '6521' } },
  });
  const rounds = Number(values.rounds);
  const owner = await findOwner();
  const artifacts = await installedArtifacts(owner);
  console.log(await describeMachine());
  const { memory, downs } = await memoryAndDown(owner, Number(values['api-port']), rounds);
  const pki = await pkiTimes(rounds);
  const kubectl = binaryOf(artifacts)('kubectl');
  const wrapped: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    bare.push(await timed(() => asOwner(owner, [kubectl, 'version', '--client'])));
    wrapped.push(await timed(() => asOwner(owner, [...owner.u7s, 'kubectl', 'version', '--client'])));
  }
  const overhead = wrapped.map((value, index) => value - (bare[index] ?? NaN));
  console.log(
    [
      table(['process', 'RSS, MiB', 'PSS, MiB', 'private, MiB'], memory),
      table(
        ['ms', 'median (least–greatest)', 'runs'],
        [
          ['certificates, all made', spread(pki.cold, 0), String(rounds)],
          ['certificates, all checked', spread(pki.warm, 0), String(rounds)],
          ['`u7s down`', spread(downs, 0), String(rounds)],
          ['`kubectl version --client`', spread(bare, 0), String(bare.length)],
          ['`u7s kubectl version --client`', spread(wrapped, 0), String(wrapped.length)],
          ['difference of a pair', spread(overhead, 0), String(overhead.length)],
        ],
      ),
      `load at the end: ${load()}`,
    ].join('\n'),
  );
}

async function memoryAndDown(
  owner: Owner,
  apiPort: number,
  rounds: number,
): Promise<{ memory: string[][]; downs: number[] }> {
  const launcher = ours(owner, apiPort);
  const downs: number[] = [];
  const samples: Map<string, Memory>[] = [];
  await launcher.clean();
  try {
    for (let round = 0; round < rounds; round++) {
      const started = launcher.start();
      await started.up;
      await delay(settleMs);
      samples.push(await longLivedMemory(owner));
      downs.push(await timed(() => started.stop()));
    }
  } finally {
    await launcher.clean();
  }
  const memory = [...(samples[0]?.keys() ?? [])].map((process) => {
    const of = (kind: keyof Memory): string =>
      median(samples.map((sample) => sample.get(process)?.[kind] ?? NaN)).toFixed(1);
    return [process, of('rss'), of('pss'), of('private')];
  });
  return { memory, downs };
}

/** MiB */
type Memory = { rss: number; pss: number; private: number };

/** Of the two Node.js processes that live as long as the cluster. */
async function longLivedMemory(owner: Owner): Promise<Map<string, Memory>> {
  const status = await asOwner(owner, [...owner.u7s, '--cluster', 'bench', 'status', '-o', 'json']);
  const { launcherPid } = JSON.parse(status) as { launcherPid: number };
  return new Map([
    ['launcher', await memoryOf(launcherPid)],
    ['supervisor', await memoryOf(await findBelow(launcherPid, 'supervise.js'))],
  ]);
}

async function findBelow(ancestor: number, program: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    // RootlessKit has the name among its arguments too.
    const [node = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (!/\bnode$/.test(node) || !args.some((arg) => arg.endsWith(`/${program}`))) continue;
    for (let parent = pid; parent > 1; parent = await parentOf(parent)) if (parent === ancestor) return pid;
  }
  throw new Error(`${program} does not run below ${ancestor}`);
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function memoryOf(pid: number): Promise<Memory> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mebibytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024;
  return {
    rss: mebibytes('Rss'),
    pss: mebibytes('Pss'),
    private: mebibytes('Private_Clean') + mebibytes('Private_Dirty'),
  };
}

/** In a new process each time, since a start too loads what makes certificates. */
async function pkiTimes(rounds: number): Promise<{ cold: number[]; warm: number[] }> {
  const script = `
    const [dir, root, table] = process.argv.slice(1);
    const { ensurePki } = await import(root + '/dist/pki/rotate.js');
    const begin = performance.now();
    await ensurePki(dir, JSON.parse(table));
    console.log(performance.now() - begin);`;
  const certificates = certificateTable(certificateInput(parseSettings({ nodeName: 'u7s-bench' })));
  const times = { cold: [] as number[], warm: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const folder = await mkdtemp(join(tmpdir(), 'u7s-bench-pki-'));
    const words = [join(folder, 'pki'), projectRoot, JSON.stringify(certificates)];
    const args = ['--input-type=module', '-e', script, ...words];
    try {
      times.cold.push(Number((await execa(process.execPath, args)).stdout));
      times.warm.push(Number((await execa(process.execPath, args)).stdout));
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  return times;
}

/** Milliseconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
