import { parseArgs } from 'node:util';
import { prepareLaunchers, type Launcher } from './launchers.js';
import { describeMachine, findOwner, load } from './machine.js';
import { alternate, ratiosOf, states, timeHead, timeRows, type Run } from './starts.js';
import { spread, table } from './statistics.js';

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
  console.log(await describeMachine());
  try {
    const runs = await alternate(launchers, Number(values.pairs), interrupted.signal);
    console.log(`\n${summary(launchers, runs)}\nload at the end: ${load()}`);
  } finally {
    await cleanUp();
  }
}

function summary(launchers: readonly Launcher[], runs: readonly Run[]): string {
  const ratios = ['naive', 'floor'].flatMap((other) =>
    states.map((state) => {
      const pairs = ratiosOf(runs, 'ours', other, state, 'node');
      return [`ours ÷ ${other}, ${state}`, spread(pairs), String(pairs.length)];
    }),
  );
  return [
    table(timeHead, timeRows(launchers, runs)),
    table(['node Ready', 'median ratio of a pair (least–greatest)', 'pairs'], ratios),
  ].join('\n');
}
