import type { StepEvent } from '../lib/events.js';
import { formatElapsed, textWithFixes } from './renderer.js';
import type { Clock, FixText, Output, Renderer } from './renderer.js';

/** How often, in milliseconds, a step may say how it stands: enough to see that it lives, few enough for a log. */
const progressPeriod = 5_000;

/** Lines for logs and pipes: one when a step starts, one when it ends, and progress now and then (always, if `verbose`). */
export function createPlainRenderer(
  output: Output,
  clock: Clock,
  verbose: boolean,
  fixText: FixText,
): Renderer {
  const running = new Map<string, { startedAt: number; saidAt: number }>();
  const say = (text: string): void => void output.write(`${text}\n`);

  const step = (event: StepEvent): void => {
    const { id, title, state } = event;
    const known = running.get(id);
    if (state === 'started') {
      running.set(id, { startedAt: clock.now(), saidAt: clock.now() });
      say(`${title}: started`);
    } else if (state === 'progress') {
      if (!verbose && known && clock.now() - known.saidAt < progressPeriod) return;
      if (known) known.saidAt = clock.now();
      const percent = event.fraction === undefined ? '' : ` (${Math.floor(event.fraction * 100)}%)`;
      say(`${title}: ${event.detail ?? 'working'}${percent}`);
    } else {
      running.delete(id);
      const time = known
        ? ` ${state === 'done' ? 'in' : 'after'} ${formatElapsed(clock.now() - known.startedAt)}`
        : '';
      say(`${title}: ${state}${state === 'skipped' ? '' : time}${event.detail ? ` (${event.detail})` : ''}`);
    }
  };

  return {
    report: (event) => {
      if (event.kind === 'step') step(event);
      else say(`${event.kind === 'warning' ? 'warning: ' : ''}${textWithFixes(event, fixText)}`);
    },
    close: () => {},
  };
}
