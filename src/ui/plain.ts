import type { StepEvent } from '../lib/events.js';
import { formatElapsed, textWithFixes } from './renderer.js';
import type { Clock, FixText, Output, Renderer } from './renderer.js';

/** How often, in milliseconds, a step says where it is: enough to see that it lives, few enough for a log. */
const sayPeriod = 15_000;
const lookPeriod = 1_000;

type RunningStep = { title: string; startedAt: number; saidAt: number; detail?: string; fraction?: number };

/**
 * Lines for logs and pipes: one when a step starts, one when it ends, and in between every 15 s where it is, even if
 * nothing has changed. If `verbose`, also one for every bit of progress.
 */
export function createPlainRenderer(
  output: Output,
  clock: Clock,
  verbose: boolean,
  fixText: FixText,
): Renderer {
  const running = new Map<string, RunningStep>();
  let stopLooking: (() => void) | undefined;
  const say = (text: string): void => void output.write(`${text}\n`);

  const sayProgress = (step: RunningStep): void => {
    step.saidAt = clock.now();
    const percent = step.fraction === undefined ? '' : ` (${Math.floor(step.fraction * 100)}%)`;
    say(
      `${step.title}: ${step.detail ?? 'working'}${percent}, ${formatElapsed(clock.now() - step.startedAt)}`,
    );
  };
  const look = (): void => {
    for (const step of running.values()) if (clock.now() - step.saidAt >= sayPeriod) sayProgress(step);
  };

  const start = ({ id, title }: StepEvent): RunningStep => {
    const step = { title, startedAt: clock.now(), saidAt: clock.now() };
    running.set(id, step);
    stopLooking ??= clock.every(lookPeriod, look);
    return step;
  };
  const end = (id: string): void => {
    running.delete(id);
    if (running.size > 0) return;
    stopLooking?.();
    stopLooking = undefined;
  };

  const update = (event: StepEvent): void => {
    const { id, title, state, detail, fraction } = event;
    const known = running.get(id);
    if (state === 'started') {
      start(event);
      say(`${title}: started`);
    } else if (state === 'progress') {
      const step = Object.assign(known ?? start(event), { detail, fraction });
      if (verbose) sayProgress(step);
    } else {
      end(id);
      const time = known
        ? ` ${state === 'done' ? 'in' : 'after'} ${formatElapsed(clock.now() - known.startedAt)}`
        : '';
      say(`${title}: ${state}${time}${detail ? ` (${detail})` : ''}`);
    }
  };

  return {
    report: (event) => {
      if (event.kind === 'step') update(event);
      else say(`${event.kind === 'warning' ? 'warning: ' : ''}${textWithFixes(event, fixText)}`);
    },
    close: () => stopLooking?.(),
  };
}
