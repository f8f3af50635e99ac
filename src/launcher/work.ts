import { messageOf } from '../lib/errors.js';
import { warningOf } from '../lib/events.js';
import type { Clock } from '../supervisor/clock.js';
import type { Worker, WorkerContext } from '../workers/worker.js';

/** Pause before a worker that has failed runs again. */
const retryMs = 5_000;

/** What workers do before services start, or one of them starts again. */
export async function runBefore(
  workers: readonly Worker[],
  context: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(workers.flatMap(({ before }) => (before === undefined ? [] : [before(context, signal)])));
}

/**
 * Runs the workers of a node until `signal` is aborted; resolves when those of its bring-up are done. `onFault` hears when
 * one of these fails; a fault of another is a warning. Each is tried again.
 */
export async function runWorkers(
  workers: readonly Worker[],
  context: WorkerContext,
  { clock, onFault, signal }: { clock: Clock; onFault: (error: unknown) => void; signal: AbortSignal },
): Promise<void> {
  async function keepRunning(worker: Worker): Promise<void> {
    let before: string | undefined;
    while (!signal.aborted) {
      try {
        return await worker.run(context, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (worker.stage === 'bring-up') onFault(error);
        else if (messageOf(error) !== before)
          context.report(warningOf(error, `${worker.name}: ${messageOf(error)}; trying again`));
        before = messageOf(error);
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }
  const start = (stage: Worker['stage']): Promise<void>[] =>
    workers.filter((worker) => worker.stage === stage).map(keepRunning);

  void Promise.all(start('api'));
  await Promise.all(start('bring-up'));
  signal.throwIfAborted();
  void Promise.all(start('up'));
}
