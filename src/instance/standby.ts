import { setTimeout as delay } from 'node:timers/promises';
import { stopInstance } from '../launcher/client.js';
import { readRemembered } from '../settings/remembered.js';
import { resolveSettings } from '../settings/resolve.js';
import type { InstanceContext } from './context.js';
import { checkHost } from './start/host.js';
import { ensurePrograms } from './start/programs.js';
import type { StartResult } from './start/start.js';
import { up } from './up.js';

/**
 * Has everything ready that `up` and `join` need: the host checked, the binaries there. An instance that has data is
 * started instead; then its start is returned.
 */
export async function standby(context: InstanceContext, preset: string): Promise<StartResult | undefined> {
  if ((await readRemembered(context.paths.remembered)) !== undefined) return up(context);
  const { name, projectRoot, env } = context;
  const settings = await resolveSettings({ instance: name, preset, projectRoot, env });
  await checkHost(context, settings);
  // As of a control plane that others join, which needs the most.
  await ensurePrograms(context, { ...settings, severalNodes: true });
  return undefined;
}

/** The longest that a timer takes; something must keep the process alive. */
const longestMs = 2 ** 31 - 1;

/** Stays until the context's signal is aborted, then stops the instance if it was started meanwhile. */
export async function waitThenStop({ paths, signal }: InstanceContext): Promise<void> {
  while (!signal.aborted) await delay(longestMs, undefined, { signal }).catch(() => undefined);
  await stopInstance(paths.controlSocket, new AbortController().signal);
}
