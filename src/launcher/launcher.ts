import { deferred } from '../lib/deferred.js';
import type { InstancePlan } from '../plan/types.js';
import type { FrontMessage, LauncherMessage } from './front-protocol.js';
import { realInstanceWorld, runInstance, type InstanceWorld, type RunningInstance } from './instance.js';

export type Launcher = {
  receive(message: FrontMessage): void;
  /** The command that started us is gone: without `detach` before, the instance goes with it. */
  frontGone(): void;
  stop(): void;
  /** Settles when nothing of the instance runs any more. */
  finished: Promise<void>;
};

/**
 * The process that an instance consists of on the host, as the command that starts it sees it: it says what to run, and the
 * launcher reports how that goes. It lives as long as the instance, so it imports nothing heavy.
 *
 *     open ──► run ──► (ready or failed) ──► detach, or stop ──► finished
 */
export function createLauncher(
  tell: (message: LauncherMessage) => void,
  world: InstanceWorld = realInstanceWorld,
): Launcher {
  const finished = deferred();
  const planned = deferred<InstancePlan>();
  let instance: RunningInstance | undefined;
  let detached = false;

  function receive(message: FrontMessage): void {
    switch (message.type) {
      case 'open': {
        const { plan, retain } = message;
        instance = runInstance(plan, planned.promise, { retain, tell }, world);
        void instance.ended.finally(finished.resolve);
        break;
      }
      case 'run':
        planned.resolve(message.plan);
        break;
      case 'detach':
        detached = true;
        break;
      case 'stop':
        stop();
    }
  }

  function stop(): void {
    if (instance === undefined) finished.resolve();
    else instance.stop();
  }

  return {
    receive,
    stop,
    finished: finished.promise,
    frontGone: () => {
      if (detached) return;
      // Gone while it waited for the stop: a second Ctrl-C, which waits no longer.
      if (instance === undefined) finished.resolve();
      else instance.stopOrKill();
    },
  };
}
