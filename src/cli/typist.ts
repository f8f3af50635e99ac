import { join } from 'node:path';
import { formatFix, plainTypist, type Fix, type Typist } from '../lib/fixes.js';
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

/** Commands as whoever runs this one types them: with the scripts of their checkout, or with u7s on the PATH. */
export function typistFor(cli: Cli): Typist {
  const folder = wrapperFolder(cli);
  if (folder === undefined) return plainTypist;
  const script = (name: string): string => (folder === '.' ? `./${name}` : join(folder, name));
  return (program, args) => {
    if (program === 'rootlessctl') return shellLine([script('rootlessctl.sh'), ...args]);
    const at = args[0] === '--cluster' ? 2 : 0;
    const own = scripts[args[at] ?? ''];
    if (own === undefined) return shellLine([script('bin/u7s.js'), ...args]);
    return shellLine([script(own), ...args.slice(0, at), ...args.slice(at + 1)]);
  };
}

/** A fix in words, for whoever runs this command and about the instance that it is about. */
export function fixText(cli: Cli, fix: Fix): string {
  const instance = cli.cluster === defaultCluster ? undefined : cli.cluster;
  return formatFix(fix, instance, typistFor(cli));
}
