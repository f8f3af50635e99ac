import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistriesPlan } from '../../images/registries/keep.js';
import { fingerprint, writeSeen } from '../../images/registries/fingerprint.js';
import { renderRegistries } from '../../images/registries/render.js';
import { readSources } from '../../images/registries/sources.js';
import type { Known } from '../../images/registries/hosts-toml.js';
import { errnoOf } from '../../lib/errors.js';
import type { Report } from '../../lib/events.js';
import type { Paths } from '../../settings/paths.js';

/**
 * Where people keep certificates of registries, best first. One that may not be entered is left out: containerd would fail at
 * it with every pull.
 */
export async function certificateFolders({
  runtimeConfig,
  configHome,
}: Pick<Paths, 'runtimeConfig' | 'configHome'>): Promise<string[]> {
  const all = [
    join(runtimeConfig, 'certs.d'),
    join(configHome, 'docker/certs.d'),
    '/etc/containerd/certs.d',
    '/etc/docker/certs.d',
  ];
  const usable = await Promise.all(all.map(mayEnter));
  return all.filter((_, index) => usable[index]);
}

function mayEnter(folder: string): Promise<boolean> {
  return access(folder, constants.R_OK | constants.X_OK).then(
    () => true,
    (error: unknown) => errnoOf(error) === 'ENOENT',
  );
}

export type Checked = { known: Known; seen: string };

/** Refuses what is wrong before anything is started; says what cannot be used. */
export async function checkRegistries({ sources }: RegistriesPlan, report: Report): Promise<Checked> {
  const seen = await fingerprint(sources);
  const { known, warnings } = await readSources(sources);
  for (const warning of warnings) report(warning);
  return { known, seen };
}

/** Writes what runtimes read, before they start. */
export async function writeRegistries(
  { folder, program }: RegistriesPlan,
  { known, seen }: Checked,
): Promise<void> {
  await renderRegistries(known, folder, program);
  await writeSeen(folder, seen);
}
