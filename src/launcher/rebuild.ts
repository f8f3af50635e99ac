import { U7sError } from '../lib/errors.js';
import type { Report } from '../lib/events.js';
import { u7s } from '../lib/fixes.js';
import { nextRestart, noRestarts } from '../supervisor/backoff.js';
import type { Clock } from '../supervisor/clock.js';
import type { NodeEnd } from './node.js';
import type { InstanceState } from './state.js';

/** A node that was up starts again at once, but at most 12 times a minute, as services do. */
const backoff = { initialMs: 500, maxMs: 30_000 };

/** Runs the node again whenever it is lost, until `signal` is aborted. Throws when it is lost before it was ever up. */
export async function keepNode(
  runOnce: () => Promise<NodeEnd>,
  {
    state,
    report,
    clock,
    random,
  }: { state: InstanceState; report: Report; clock: Clock; random: () => number },
  signal: AbortSignal,
): Promise<void> {
  let history = noRestarts;
  while (!signal.aborted) {
    state.nodeStarted();
    const { why, asked } = await runOnce();
    const wasReady = state.isUp;
    const lost = state.wasUp && !asked && !signal.aborted;
    state.nodeEnded(why, lost);
    if (signal.aborted) return;
    if (!state.wasUp) {
      throw new U7sError('node-lost', `the node was lost before the cluster was up: ${why}`, {
        fixes: [u7s(['logs', 'rootlesskit'], { text: 'read the log' })],
      });
    }
    if (!lost) continue;
    report({
      kind: 'warning',
      text: `the node was lost (${why}); starting everything again`,
      code: 'node-lost',
    });
    const next = nextRestart(history, { wasReady, now: clock.now() }, backoff, random);
    history = next.history;
    await clock.sleep(next.delayMs, signal).catch(() => undefined);
  }
}
