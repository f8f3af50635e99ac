import type * as zod from 'zod';
import type { Role } from './role.js';

/**
 * Entries are handed zod and do not import it: `u7s kubectl` builds the whole command line from the table, and must not load
 * zod to do so.
 */
export type Zod = typeof zod;

/** What a default may depend on: settings that stand before it in the table. */
export type Basis = {
  hostname: string;
  hostIp?: string | undefined;
  listenAddress?: string | undefined;
  serviceCidr: string;
  /** The address with this number in the network. */
  addressIn: (network: string, number: number) => string;
};

/** Verbs that take settings as flags. */
export type Verb = 'up' | 'join';

/**
 * What a later start does with a setting. `kept`: it stays as it was until something else is requested. `fixed`: a request to
 * change it is refused, because data depends on it. `asked`: what was requested is kept, while a default follows from the
 * present settings. `compared`: the same, but each start takes it from the preset.
 */
export type Memory = 'kept' | 'asked' | 'fixed' | 'compared';

/** How one word of a flag or variable becomes a value. */
export type Reading = {
  /** Undefined for text that cannot be read. */
  read: (text: string) => unknown;
  /** Completes "is not …". */
  kind: string;
  /** Completes "it must be …". */
  form: string;
};

/** For a setting with several values: each flag adds one, a variable holds all of them. */
export type Several = { as: 'list' | 'map'; separator: RegExp };

/** Everything about one setting. */
export type Setting = {
  schema: (z: Zod) => zod.ZodType;
  /** One sentence, without a capital letter at its start and a full stop at its end. */
  help: string;
  /** The value, or how it follows from other settings. Without a default the setting may be missing. */
  default?: NonNullable<unknown> | ((basis: Basis) => unknown);
  /** The default in words, where the value alone does not explain it; by verb where verbs differ. */
  defaultWords?: string | Partial<Record<Verb, string>>;
  /** As commander takes it. */
  flag?: string;
  /** What `--help` says instead of `help`, for a flag that says the opposite. */
  flagHelp?: string;
  verbs?: readonly Verb[];
  /** The first that is set counts: ours come before those of the second generation. */
  variables?: readonly string[];
  choices?: readonly string[];
  reading?: Reading;
  several?: Several;
  /** Its place in the row of ports that --port-base sets. */
  portOffset?: number;
  /** Another source than a flag, a variable or a description, for the docs. */
  givenBy?: string;
  memory?: Partial<Record<Role, Memory>>;
  /** How a description has it, where that is not how it is used. */
  written?: (value: never) => unknown;
  /** On a control plane, `memory` applies only while this setting is true. */
  boundIf?: 'kubernetes' | 'severalNodes';
  /** All nodes must have it alike; those that join take it from the control plane. */
  shared?: true;
  /** Each source adds entries to this map; otherwise it would replace the map. */
  merged?: true;
};
