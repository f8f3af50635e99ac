import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { binaryOf } from '#src/plan/artifacts.js';
import { givenCluster, ours, removeCluster, type Launcher } from './launchers.js';
import {
  asOwner,
  describeMachine,
  findOwner,
  installedArtifacts,
  load,
  projectRoot,
  type Owner,
} from './machine.js';
import { alternate, ratiosOf, states, timeHead, timeRows } from './starts.js';
import { spread, table } from './statistics.js';

/**
 * Alternates the starts of this checkout with those of another commit, which is checked out and built beside it, and
 * prints ratios of pairs as Markdown. A claim that something became quicker rests on this.
 */
export async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { pairs: { type: 'string', default: '5' }, 'api-port': { type: 'string', default: '6521' } },
  });
  const [commit] = positionals;
  if (commit === undefined)
    throw new Error('name the commit to compare with: npm run bench -- compare COMMIT');
  const pairs = Number(values.pairs);
  const apiPort = Number(values['api-port']);
  const checkout = await mkdtemp(join(tmpdir(), 'u7s-bench-commit-'));
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const after = await findOwner();
  try {
    const short = await checkOut(commit, checkout);
    await asOwner(after, ['mkdir', '-p', '-m', '0700', after.paths(givenCluster).state]);
    const before = await findOwner(checkout, givenCluster);
    const kubectl = binaryOf(await installedArtifacts(after))('kubectl');
    await asOwner(before, [...before.u7s, 'artifacts', 'fetch', '--preset', 'default-containerd']);
    const launchers: Launcher[] = [
      { ...ours(after, apiPort), name: 'after' },
      { ...ours(before, apiPort), name: 'before' },
    ];
    console.log(`${await describeMachine()}\nbefore: ${short}\n`);
    const runs = await alternate(launchers, pairs, interrupted.signal);
    const ratios = states.map((state) => [
      `after ÷ before, ${state}`,
      ...(['api', 'node', 'pod'] as const).map((what) =>
        spread(ratiosOf(runs, 'after', 'before', state, what)),
      ),
    ]);
    console.log(
      [
        table(timeHead, timeRows(launchers, runs)),
        table(['median ratio of a pair (least–greatest)', 'API ready', 'node Ready', 'pod Running'], ratios),
        await wrapperTable(after, before, kubectl, 4 * pairs),
        `load at the end: ${load()}`,
      ].join('\n'),
    );
  } finally {
    await removeCluster(after, givenCluster);
    await execa('git', ['-C', projectRoot, 'worktree', 'remove', '--force', checkout], { reject: false });
    await rm(checkout, { recursive: true, force: true });
  }
}

/** Builds the commit in `folder`; returns its short name. */
async function checkOut(commit: string, folder: string): Promise<string> {
  await execa('git', ['-C', projectRoot, 'worktree', 'add', '--detach', '--force', folder, commit]);
  for (const words of [['ci'], ['run', 'build']])
    await execa('npm', words, { cwd: folder, stdout: 'ignore', stderr: 'inherit' });
  return (await execa('git', ['-C', folder, 'log', '-1', '--format=%h %s'])).stdout;
}

/** What `u7s kubectl version --client` takes, beside kubectl itself. */
async function wrapperTable(after: Owner, before: Owner, kubectl: string, rounds: number): Promise<string> {
  const ways = { kubectl: [kubectl], after: [...after.u7s, 'kubectl'], before: [...before.u7s, 'kubectl'] };
  const times: Record<keyof typeof ways, number[]> = { kubectl: [], after: [], before: [] };
  const names = ['kubectl', 'after', 'before'] as const;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const begin = performance.now();
      await asOwner(after, [...ways[name], 'version', '--client']);
      times[name].push(performance.now() - begin);
    }
  }
  const ratios = times.after.map((value, index) => value / (times.before[index] ?? NaN));
  return table(
    ['`version --client`, ms', 'median (least–greatest)'],
    [
      ['kubectl alone', spread(times.kubectl, 0)],
      ['`u7s kubectl`, after', spread(times.after, 0)],
      ['`u7s kubectl`, before', spread(times.before, 0)],
      ['after ÷ before, of a pair', spread(ratios)],
    ],
  );
}
