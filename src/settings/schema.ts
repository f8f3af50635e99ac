import { hostname } from 'node:os';
import * as z from 'zod';
import { nthAddress } from '../lib/cidr.js';
import { UsageError } from '../lib/errors.js';
import type { Fix } from '../lib/fixes.js';
import { nearest } from '../lib/nearest.js';
import type { Basis, Setting } from './entry.js';
import { hostAccessFaults } from './host-access.js';
import { hasSeveralNodes } from './role.js';
import { networkFaults } from './networks.js';
import { settingEntries, table, type SettingName } from './table.js';

type SchemaOf<Name extends SettingName> = ReturnType<(typeof table)[Name]['schema']>;
type Output<Name extends SettingName> = z.output<SchemaOf<Name>>;

/** What a setting is when nobody sets it; undefined if it may be missing. */
type DefaultOf<Name extends SettingName> = (typeof table)[Name] extends { default: infer Default }
  ? Default extends (basis: Basis) => infer Value
    ? Value
    : Default
  : undefined;

type Complete = { [Name in SettingName as undefined extends DefaultOf<Name> ? never : Name]: Output<Name> };
type Partly = {
  [Name in SettingName as undefined extends DefaultOf<Name> ? Name : never]?: Output<Name> | undefined;
};

/** Facts that follow from the settings. */
type Derived = {
  /** Whether the cluster can have other nodes. If not, the pod network and the ports serve this node alone. */
  severalNodes: boolean;
};

/** The completed description of an instance. */
export type Settings = Complete & Partly & Derived;

/** What may be set; the rest is completed. */
export type SettingsInput = { [Name in SettingName]?: z.input<SchemaOf<Name>> | undefined };

const fields = z.strictObject(
  Object.fromEntries(settingEntries.map(([name, entry]) => [name, schemaOf(entry)])) as Record<
    SettingName,
    z.ZodType
  >,
);

/** The schema of one setting, for the value alone. */
export function schemaOf({ schema, default: value }: Setting): z.ZodType {
  const own = schema(z);
  return value === undefined || typeof value === 'function' ? own.optional() : own.default(value);
}

const settingsSchema = fields.transform((given, context): Settings => {
  const settings = complete(given);
  for (const { field, message } of networkFaults(settings)) {
    context.addIssue({ code: 'custom', path: [field], message });
  }
  for (const message of hostAccessFaults(settings)) {
    context.addIssue({ code: 'custom', path: ['hostAccess'], message });
  }
  return settings;
});

function complete(given: Record<string, unknown>): Settings {
  const settings = { ...given };
  const basis = { hostname: hostname(), addressIn: nthAddress };
  for (const [name, { default: value }] of settingEntries) {
    if (typeof value !== 'function' || settings[name] !== undefined) continue;
    settings[name] = (value as (basis: Basis) => unknown)({ ...settings, ...basis } as Basis);
  }
  return { ...settings, severalNodes: hasSeveralNodes(settings) } as Settings;
}

/** A setting as a description has it. */
export function writtenValue(name: SettingName, settings: Settings): unknown {
  const { written } = table[name] as Setting;
  const value: unknown = settings[name];
  return written === undefined || value === undefined ? value : written(value as never);
}

/** What a setting would be if nobody had set it, the others being as they are. */
export function defaultOf(name: SettingName, settings: Settings): unknown {
  const { default: value } = table[name] as Setting;
  if (typeof value !== 'function') return value;
  const basis = { ...settings, hostname: hostname(), addressIn: nthAddress };
  return (value as (basis: Basis) => unknown)(basis);
}

/** Checks and completes `input`; the error names every wrong field. */
export function parseSettings(input: SettingsInput): Settings {
  const parsed = settingsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const unknown = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [],
  );
  const faults = parsed.error.issues
    .filter(({ code }) => code !== 'unrecognized_keys')
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new UsageError(
    unknown.length > 0 ? 'no-such-setting' : 'setting-invalid',
    `the settings are wrong: ${[...unknown.map((key) => `there is no field ${key}`), ...faults].join('; ')}`,
    ...parsed.error.issues.flatMap(fixesOfIssue),
    unknown.length > 0
      ? knownFields(unknown)
      : 'correct it where it comes from: a flag, U7S_* or the file of --config',
  );
}

/** The schema of an entry can name its own fixes: `params: { fixes }` of an issue that it adds. */
function fixesOfIssue(issue: z.core.$ZodIssue): Fix[] {
  return issue.code === 'custom' ? ((issue.params?.['fixes'] as Fix[] | undefined) ?? []) : [];
}

function knownFields(unknown: readonly string[]): string {
  const known = Object.keys(table);
  const near = unknown.flatMap((key) => nearest(key, known) ?? []);
  return `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}Known: ${known.join(', ')}`;
}
