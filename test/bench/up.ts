import { parseArgs } from 'node:util';
import { prepareLaunchers, type Launcher } from './launchers.js';
import { describeMachine, findOwner, load } from './machine.js';
import { observe, type Observation } from './observer.js';
import { spread, table } from './statistics.js';

type State = 'cold' | 'warm';
type Run = Observation & { launcher: string; state: State; round: number };

const states: readonly State[] = ['cold', 'warm'];
/** A start that takes longer has failed. */
const limitMs = 120_000;

/** Starts each launcher's cluster cold and then warm, in turn, and prints medians, spreads and ratios as Markdown. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { pairs: { type: 'string', default: '10' }, 'api-port': { type: 'string', default: '6521' } },
  });
  const owner = await findOwner();
  const { launchers, cleanUp } = await prepareLaunchers(owner, Number(values['api-port']));
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const runs: Run[] = [];
  console.log(await describeMachine());
  try {
    for (let round = 0; round < Number(values.pairs); round++) {
      // Each goes first as often as the others.
      const order = launchers.map((_, index) => launchers[(index + round) % launchers.length]);
      for (const launcher of order) {
        if (launcher !== undefined) runs.push(...(await startTwice(launcher, round, interrupted.signal)));
      }
    }
  } finally {
    await cleanUp();
  }
  console.log(`\n${summary(launchers, runs)}\nload at the end: ${load()}`);
}

async function startTwice(launcher: Launcher, round: number, interrupted: AbortSignal): Promise<Run[]> {
  const runs: Run[] = [];
  await launcher.clean();
  try {
    for (const state of states) {
      const loadBefore = load();
      const signal = AbortSignal.any([interrupted, AbortSignal.timeout(limitMs)]);
      const observation = observe(launcher.observed, signal);
      observation.catch(() => undefined); // awaited below, after the launcher's own failure
      const started = launcher.start();
      try {
        const [, observed] = await Promise.all([started.up, observation]);
        runs.push({ ...observed, launcher: launcher.name, state, round });
        console.error(describeRun(launcher.name, state, observed, loadBefore));
      } finally {
        await started.stop();
      }
    }
  } finally {
    await launcher.clean();
  }
  return runs;
}

function describeRun(
  name: string,
  state: State,
  { api, node, pod }: Observation,
  loadBefore: string,
): string {
  const [first, second, third] = [api, node, pod].map((value) => value.toFixed(2));
  return `${name} ${state}: API ${first}, node Ready ${second}, pod Running ${third} s (load ${loadBefore})`;
}

function summary(launchers: readonly Launcher[], runs: readonly Run[]): string {
  const of = (name: string, state: State): Run[] =>
    runs.filter((run) => run.launcher === name && run.state === state);
  const times = launchers.flatMap(({ name }) =>
    states.map((state) => {
      const own = of(name, state);
      return [
        `${name}, ${state}`,
        spread(own.map(({ api }) => api)),
        spread(own.map(({ node }) => node)),
        spread(own.map(({ pod }) => pod)),
        spread(own.map(({ node, pod }) => pod - node)),
      ];
    }),
  );
  const ratios = ['naive', 'floor'].flatMap((other) =>
    states.map((state) => {
      const pairs = of('ours', state).map((run, index) => run.node / (of(other, state)[index]?.node ?? NaN));
      return [`ours ÷ ${other}, ${state}`, spread(pairs), String(pairs.length)];
    }),
  );
  return [
    table(['seconds from the start', 'API ready', 'node Ready', 'pod Running', 'Ready → Running'], times),
    table(['node Ready', 'median ratio of a pair (least–greatest)', 'pairs'], ratios),
  ].join('\n');
}
