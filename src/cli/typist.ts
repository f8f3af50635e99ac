import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { aboutInstance, formatFix, plainTypist, type Fix, type Typist } from '../lib/fixes.js';
import { shellLine } from '../lib/shell.js';
import { defaultCluster } from '../settings/paths.js';
import { wrapperFolder } from './as-root/checkout.js';
import type { Cli } from './command.js';

/** Verbs that a checkout has a script of their own for. */
const scripts: Readonly<Record<string, string>> = {
  up: 'run.sh',
  kubectl: 'kubectl.sh',
  docker: 'dockercli.sh',
  cleanup: 'cleanup.sh',
};

/** Commands as the person who runs this one types them: with the scripts of their checkout, or with u7s on the PATH. */
export function typistFor(cli: Cli): Typist {
  const folder = wrapperFolder(cli);
  if (folder === undefined) return plainTypist;
  // A bundle's host may have no other Node.js than the bundle's own.
  return scriptTypist(folder, existsSync(join(cli.projectRoot, 'node/bin/node')) ? 'bin/u7s' : undefined);
}

/** With the scripts in `folder`: `.` or an absolute path. */
export function scriptTypist(folder: string, command = 'bin/u7s.js'): Typist {
  const script = (name: string): string => (folder === '.' ? `./${name}` : join(folder, name));
  return (program, args) => {
    if (program === 'rootlessctl') return shellLine([script('rootlessctl.sh'), ...args]);
    const at = args[0] === '--cluster' ? 2 : 0;
    const own = scripts[args[at] ?? ''];
    if (own === undefined) return shellLine([script(command), ...args]);
    return shellLine([script(own), ...args.slice(0, at), ...args.slice(at + 1)]);
  };
}

/** A command about the instance that the present command is about, as it is to be typed. */
export function instanceTypist(cli: Cli): (args: readonly string[]) => string {
  const typist = typistFor(cli);
  return (args) => typist('u7s', aboutInstance(instanceOf(cli), args));
}

/** A fix in words, for the person who runs this command and about the same instance. */
export function fixText(cli: Cli, fix: Fix): string {
  return formatFix(fix, instanceOf(cli), typistFor(cli));
}

function instanceOf({ cluster }: Cli): string | undefined {
  return cluster === defaultCluster ? undefined : cluster;
}
