import type { Ground } from './ground.js';

/** From where somebody attacks, and with what they have. */
export type Position =
  /** An account on the cluster's host that is neither root nor the cluster's. */
  | 'local user'
  /** The account that runs the cluster, against root, who types its commands. */
  | 'account'
  /** A container in a pod. */
  | 'pod'
  /** Who has a token for joining. */
  | 'token holder'
  /** The account on a host that has joined, or that has been removed. */
  | 'node'
  /** Another host, with nothing. */
  | 'network';

/** One thing that somebody tries, and what has to come of it. Adding one is a line in tables/. */
export type Attack = {
  name: string;
  position: Position;
  /** The sample that `npm test` runs has one of each kind. */
  kind: string;
  /** Tries it; returns in a line what came of it. */
  attempt: (ground: Ground) => Promise<string>;
  /** What comes of it where the boundary holds. */
  held: RegExp;
  /** Not in the sample: it takes more than a moment. */
  long?: boolean;
};

/** The attacks of a position. */
export const from =
  (position: Position) =>
  (
    kind: string,
    name: string,
    held: RegExp,
    attempt: Attack['attempt'],
    options: Pick<Attack, 'long'> = {},
  ): Attack => ({ position, kind, name, held, attempt, ...options });

/**
 * The rightful way through the door that a kind of attacks tries: what comes of it shows that the attacks fail at the lock,
 * and not because there is no door.
 */
export type Door = { kind: string; name: string; opens: Attack['attempt']; open: RegExp };
