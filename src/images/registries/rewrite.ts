/** What an endpoint puts before the names of repositories, and the names that it does it to. */
export type RepositoryPrefix = { before: string; only: string };

/**
 * The prefix that a rewrite of k3s amounts to. containerd, dockerd and CRI-O know no regular expressions, but each can put a
 * path before the name. Undefined for a rewrite that does something else to the name.
 */
export function repositoryPrefix(pattern: string, replacement: string): RepositoryPrefix | undefined {
  const [, only] = /^\^?((?:[a-z0-9_-]+\/)*)\(\.[*+]\)\$?$/.exec(pattern) ?? [];
  const [, path] = /^\/?((?:[a-z0-9._-]+\/)*)(?:\$1|\$\{1\})$/.exec(replacement) ?? [];
  if (only === undefined || path === undefined || !path.endsWith(only)) return undefined;
  return { before: path.slice(0, path.length - only.length), only };
}
