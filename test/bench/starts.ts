import type { Launcher } from './launchers.js';
import { load } from './machine.js';
import { observe, type Observation } from './observer.js';
import { spread } from './statistics.js';

export const states = ['cold', 'warm'] as const;
export type State = (typeof states)[number];
export type Run = Observation & { launcher: string; state: State };

/** A start that takes longer has failed. */
const limitMs = 120_000;

/** Starts each launcher's cluster cold and then warm, `pairs` times; each goes first as often as the others. */
export async function alternate(
  launchers: readonly Launcher[],
  pairs: number,
  interrupted: AbortSignal,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (let round = 0; round < pairs; round++) {
    const order = launchers.map((_, index) => launchers[(index + round) % launchers.length]);
    for (const launcher of order)
      if (launcher !== undefined) runs.push(...(await startTwice(launcher, interrupted)));
  }
  return runs;
}

async function startTwice(launcher: Launcher, interrupted: AbortSignal): Promise<Run[]> {
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
        runs.push({ ...observed, launcher: launcher.name, state });
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

export const runsOf = (runs: readonly Run[], name: string, state: State): Run[] =>
  runs.filter((run) => run.launcher === name && run.state === state);

/** A row for each launcher and state: seconds until the API, the node and the first pod, and from node to pod. */
export function timeRows(launchers: readonly Launcher[], runs: readonly Run[]): string[][] {
  return launchers.flatMap(({ name }) =>
    states.map((state) => {
      const own = runsOf(runs, name, state);
      return [
        `${name}, ${state}`,
        spread(own.map(({ api }) => api)),
        spread(own.map(({ node }) => node)),
        spread(own.map(({ pod }) => pod)),
        spread(own.map(({ node, pod }) => pod - node)),
      ];
    }),
  );
}

/** What `one` takes of `other`'s time, pair by pair. */
export function ratiosOf(
  runs: readonly Run[],
  one: string,
  other: string,
  state: State,
  what: keyof Observation,
): number[] {
  const others = runsOf(runs, other, state);
  return runsOf(runs, one, state).map((run, index) => run[what] / (others[index]?.[what] ?? NaN));
}

export const timeHead = [
  'seconds from the start',
  'API ready',
  'node Ready',
  'pod Running',
  'Ready → Running',
];
