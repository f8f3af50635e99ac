import type { RegistriesPlan } from '../images/registries/keep.js';
import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';
import type { HostFacts } from './types.js';

/** From where the registries of an instance are known, and where runtimes read that. */
export function planRegistries(
  { registries }: Settings,
  { registryFiles, registryLogins, registries: folder }: Paths,
  { node, registryCredentials, dockerLogins, certificateFolders }: HostFacts,
): RegistriesPlan {
  return {
    sources: {
      described: registries,
      files: registryFiles,
      logins: [dockerLogins, registryLogins],
      certificates: certificateFolders,
    },
    folder,
    program: { node, script: registryCredentials },
  };
}
