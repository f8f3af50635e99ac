import type { Host } from './host.js';

/** They map sub-IDs into a user namespace, which only root may do. */
export const mapHelpers = ['newuidmap', 'newgidmap'] as const;
export type MapHelper = (typeof mapHelpers)[number];

const setuidBit = 0o4000;

export async function isSetuid(host: Host, path: string): Promise<boolean> {
  return (((await host.stat(path))?.mode ?? 0) & setuidBit) !== 0;
}

/**
 * Paths of those that are neither setuid nor known to have the file capabilities that Fedora and openSUSE give them. In
 * Fedora's own images those are lost: https://bugzilla.redhat.com/show_bug.cgi?id=1995337
 */
export async function powerlessMapHelpers(host: Host): Promise<string[]> {
  const getcap = await host.which('getcap');
  const powerless = await Promise.all(
    mapHelpers.map(async (helper) => {
      const path = await host.which(helper);
      if (path === undefined || (await isSetuid(host, path))) return [];
      const capabilities = getcap === undefined ? '' : (await host.run(getcap, [path])).stdout;
      return /\bcap_set[ug]id\b/.test(capabilities) ? [] : [path];
    }),
  );
  return powerless.flat();
}
