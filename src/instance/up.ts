import type { NamespaceTrial } from '../host/namespace-trial.js';
import { requireMembership } from '../membership/join.js';
import { defaultPreset } from '../settings/default-preset.js';
import { readRemembered } from '../settings/remembered.js';
import type { Flags } from '../settings/flags.js';
import { resolveSettings } from '../settings/resolve.js';
import type { Settings } from '../settings/schema.js';
import type { InstanceContext } from './context.js';
import { checkHost, hostNetworksToAvoid } from './start/host.js';
import { noteNodeName } from './start/note-settings.js';
import { freePortFinder } from './start/node-ports.js';
import { start, type StartResult } from './start/start.js';

export type UpRequest = {
  /** Undefined: what the instance was before. */
  preset?: string | undefined;
  /** Those of the command line; what is no setting is not looked at. */
  flags?: Flags;
  /** Milliseconds until a cluster that is not Ready counts as failed. */
  timeoutMs?: number | undefined;
  /** Leave a cluster that failed to start as it is, for examination. */
  retain?: boolean;
};

export const defaultTimeoutMs = 300_000;

/** Starts the instance as it was before, except for what the request says. */
export async function up(context: InstanceContext, request: UpRequest = {}): Promise<StartResult> {
  const { preset, flags = {}, timeoutMs = defaultTimeoutMs, retain = false } = request;
  const before = await readRemembered(context.paths.remembered);
  const { name, projectRoot, env, report } = context;
  const settings = await resolveSettings({
    instance: name,
    preset: preset ?? before?.preset ?? defaultPreset,
    projectRoot,
    env,
    flags,
    remembered: before,
    freePort: freePortFinder(report),
    avoid: before === undefined ? await hostNetworksToAvoid(context) : undefined,
  });
  noteNodeName(before, settings, report);
  const check = (): Promise<NamespaceTrial> => checkHostAndMembership(context, settings);
  return start(context, { settings, checkHost: check, timeoutMs, retain });
}

async function checkHostAndMembership(context: InstanceContext, settings: Settings): Promise<NamespaceTrial> {
  const trial = await checkHost(context, settings);
  if (settings.controlPlane !== undefined)
    await requireMembership(settings, context.paths, context.report, context.signal);
  return trial;
}
