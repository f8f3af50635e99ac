import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../lib/errors.js';
import { warningOf, type Report } from '../../lib/events.js';
import type { CredentialProgram } from './credential-provider.js';
import { fingerprint, readSeen, writeSeen } from './fingerprint.js';
import { renderRegistries } from './render.js';
import type { RegistrySources } from './sources.js';

/** What keeps a running node's registries as the user has them. */
export type RegistriesPlan = { sources: RegistrySources; folder: string; program: CredentialProgram };

/** How often sources are looked at. inotify would not see files in folders that are not there yet. */
const lookMs = 2_000;

/**
 * Follows the sources until `signal` is aborted. Sources that have become wrong are reported, and what was there before stays
 * in use.
 *
 * @param onProvider the kubelet must be started again
 */
export async function keepRegistries(
  { sources, folder, program }: RegistriesPlan,
  { report, onProvider }: { report: Report; onProvider: () => void },
  signal: AbortSignal,
  everyMs = lookMs,
): Promise<void> {
  let seen = await readSeen(folder);
  for (; ; await setTimeout(everyMs, undefined, { signal })) {
    signal.throwIfAborted();
    const now = await fingerprint(sources);
    if (now === seen) continue;
    seen = now;
    try {
      // Loaded for nobody but who changes them: the launcher runs for weeks and stays small.
      const { readSources } = await import('./sources.js');
      const { known, warnings } = await readSources(sources);
      if (await renderRegistries(known, folder, program)) onProvider();
      await writeSeen(folder, now);
      for (const warning of warnings) report(warning);
      report({ kind: 'note', text: 'the settings of registries have changed and are in use' });
    } catch (error) {
      report(warningOf(error, `${messageOf(error)}; what was there before stays in use`));
    }
  }
}
