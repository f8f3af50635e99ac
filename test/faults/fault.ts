import type { Subject } from './subject.js';

/** What is broken for good is mended by this; then the cluster must heal. */
export type Mend = () => Promise<unknown>;

export type Strike = (subject: Subject) => Promise<Mend | void>;

/** One thing that goes wrong. Adding one is a line in faults.ts; what must hold afterwards is the same for all. */
export type Fault = {
  name: string;
  /** The sample that `npm test` runs has no two of a kind. */
  kind: string;
  strike: Strike;
} & (
  | {
      strikes: 'running';
      effect: Effect;
      /** How the cluster is started before, where that matters. */
      start?: StartOptions;
    }
  /** While `u7s up` or `u7s down` is under way and has said `at`. */
  | { strikes: 'starting' | 'stopping'; at: RegExp }
  | {
      strikes: 'stopped';
      start?: StartOptions;
      /** The next `u7s up` must refuse, with this error and this fix, until it is mended. */
      refusal?: { error: RegExp; fix: RegExp };
    }
);

export type Effect =
  /** These services run again, all others go on as they were. */
  | { replaced: readonly string[] }
  /** Whatever it takes, the cluster is whole again; this service tells what is wrong until then. */
  | { degraded: string }
  /** The whole node is built again, nothing of the old one is left. */
  | 'rebuilt'
  /** The node cannot be built again until it is mended. */
  | 'lost'
  /** The cluster is gone; the next start brings it back. */
  | 'ended'
  /** Nothing is restarted. */
  | 'endured'
  /** The workload's processes come back, no service is restarted. */
  | 'workload';

export type StartOptions = {
  /** A command that the command line is given to, which puts it in namespaces or under limits of its own. */
  inside?: (subject: Subject) => readonly string[];
  /** Stay in the foreground. */
  foreground?: boolean;
};

type Running = Fault & { strikes: 'running' };
type Stopped = Fault & { strikes: 'stopped' };

export const running = (
  kind: string,
  name: string,
  effect: Effect,
  strike: Strike,
  start: StartOptions = {},
): Running => ({ strikes: 'running', kind, name, effect, strike, start });

export const stopped = (
  kind: string,
  name: string,
  rest: Pick<Stopped, 'strike' | 'start' | 'refusal'>,
): Stopped => ({
  strikes: 'stopped',
  kind,
  name,
  ...rest,
});
