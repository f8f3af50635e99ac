import type * as zod from 'zod';
import type { Role } from './role.js';

/**
 * Handed to an entry rather than imported by it: the command line is built from the table for each `u7s kubectl`, and must
 * not load zod for that.
 */
export type Zod = typeof zod;

/** What a default may depend on: what has been settled before it, in the order of the table. */
export type Basis = {
  hostname: string;
  hostIp?: string | undefined;
  listenAddress?: string | undefined;
  serviceCidr: string;
  /** The address with a number in a network. */
  addressIn: (network: string, number: number) => string;
};

/** Verbs that take settings as flags. */
export type Verb = 'up' | 'join';

/**
 * What a later start does about a setting: `kept` stays as it was unless something else is asked for; with `fixed` that is
 * refused, because data depends on it; `compared` is refused likewise, but the preset decides it at each start.
 */
export type Memory = 'kept' | 'fixed' | 'compared';

/** How a setting is written in one word, for flags and variables. */
export type Reading = {
  /** Undefined for text that cannot be read. */
  read: (text: string) => unknown;
  /** Completes "is not …". */
  kind: string;
  /** Completes "it must be …". */
  form: string;
};

/** A setting that has several values: each flag adds one, a variable holds all of them. */
export type Several = { as: 'list' | 'map'; separator: RegExp };

/** All that there is to know of one setting. */
export type Setting = {
  schema: (z: Zod) => zod.ZodType;
  /** One sentence, in lower case and without its full stop. */
  help: string;
  /** The value, or how it follows from others; without one there is none. */
  default?: NonNullable<unknown> | ((basis: Basis) => unknown);
  /** In words, where the value does not say it; by verb where that makes a difference. */
  defaultWords?: string | Partial<Record<Verb, string>>;
  /** As commander takes it. */
  flag?: string;
  /** Where the flag says the opposite. */
  flagHelp?: string;
  verbs?: readonly Verb[];
  /** The first that is set counts: ours, then those of the second generation. */
  variables?: readonly string[];
  choices?: readonly string[];
  reading?: Reading;
  several?: Several;
  /** Its place in the row of ports that --port-base sets. */
  portOffset?: number;
  /** How another value reaches it than by a flag, a variable or a description. */
  givenBy?: string;
  memory?: Partial<Record<Role, Memory>>;
  /** The condition of `memory` on a control plane: a setting that must be true. */
  boundIf?: 'kubernetes' | 'severalNodes';
  /** Told to the nodes that join, which must all have it alike. */
  shared?: true;
  /** A map to which each source adds its entries, rather than replacing it. */
  merged?: true;
};
