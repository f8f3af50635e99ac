import type { Command } from 'commander';

type Env = Record<string, string | undefined>;

/** What root does itself. */
const rootsOwn = new Set(['init-host', 'version', 'completion', 'help', 'make', 'bundle']);

/**
 * Whether root leaves the command to the prepared user. In the node's namespaces uid 0 is that user already; RootlessKit
 * and `u7s shell` mark them by ROOTLESSKIT_STATE_DIR.
 */
export function belongsToUser(command: Command, env: Env): boolean {
  return rootActs(env) && !rootsOwn.has(verbOf(command));
}

export const rootActs = (env: Env): boolean => process.getuid?.() === 0 && !env.ROOTLESSKIT_STATE_DIR;

/** The first word of the command line that names a command: `artifacts` of `artifacts list`. */
export function verbOf(command: Command): string {
  return command.parent?.parent ? verbOf(command.parent) : command.name();
}
