import type { NamespaceTrial } from '../host/namespace-trial.js';
import { requireMembership } from '../membership/join.js';
import { defaultPreset } from '../settings/default-preset.js';
import { readRemembered } from '../settings/remembered.js';
import { resolveSettings, type SettingsFlags } from '../settings/resolve.js';
import type { Settings } from '../settings/schema.js';
import type { InstanceContext } from './context.js';
import { checkHost } from './start/host.js';
import { freePortFinder } from './start/node-ports.js';
import { start, type StartResult } from './start/start.js';

export type UpRequest = {
  /** Undefined: what the instance was before. */
  preset?: string | undefined;
  flags?: SettingsFlags;
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
  const settings = await resolveSettings(
    context,
    context.name,
    preset ?? before?.preset ?? defaultPreset,
    flags,
    {
      settled: before?.settled ?? {},
      ...(before === undefined ? {} : { artifactPaths: before.artifactPaths }),
      freePort: freePortFinder(context.report),
    },
  );
  const check = (): Promise<NamespaceTrial> => checkHostAndMembership(context, settings);
  return start(context, { settings, checkHost: check, timeoutMs, retain });
}

async function checkHostAndMembership(context: InstanceContext, settings: Settings): Promise<NamespaceTrial> {
  const trial = await checkHost(context, settings);
  if (settings.controlPlane !== undefined)
    await requireMembership(settings, context.paths, context.report, context.signal);
  return trial;
}
