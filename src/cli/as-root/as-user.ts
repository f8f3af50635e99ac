import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { asUser, preparedAccount, requireReachable } from '../../host/account.js';
import { thisHost } from '../../host/host.js';
import { resolveHomeDirs } from '../../host/user-dirs.js';
import { U7sError } from '../../lib/errors.js';
import { exists } from '../../lib/exists.js';
import { clusterPaths } from '../../settings/paths.js';
import { checkoutFolder, checkoutVariable } from './checkout.js';
import { captured, rewriterOf } from './checked-output.js';
import { keepCheckoutKubeconfig, removeCheckoutKubeconfig } from './checkout-kubeconfig.js';
import type { Cli } from '../command.js';
import { globalOptions } from '../globals.js';
import { verbOf } from './belongs.js';
import { closeInherited } from './descriptors.js';
import { installLauncher } from './launcher-copy.js';
import { inOwnTerminal, type RootsTerminal } from './own-terminal.js';
import { passThrough, type Invocation } from '../pass-through.js';

type Env = Record<string, string | undefined>;

/** Runs the command line `argv` as the prepared user, from a copy of this installation that the user can read. */
export async function runAsUser(
  cli: Cli,
  argv: readonly string[],
  command: Command,
  program = 'u7s.js',
): Promise<number> {
  const { env } = cli.io;
  const account = await preparedAccount(env);
  const checkout = { [checkoutVariable]: checkoutFolder(cli) };
  const invoke = (words: readonly string[]) => asUser(account, words, { ...env, ...checkout });
  const dirs = { ...resolveHomeDirs(invoke([]).env), runtimeDir: account.runtimeDir ?? '' };
  const paths = clusterPaths(dirs, globalOptions(cli, command).cluster);

  const launcher = await installLauncher(cli.projectRoot, paths.launchers, invoke, () =>
    ownNode(cli.projectRoot) ? Promise.resolve() : requireReachable(account, process.execPath),
  );
  const verb = verbOf(command);
  const node = ownNode(cli.projectRoot) ? join(launcher, nodeOfBundle) : process.execPath;
  const entry = [node, join(launcher, 'bin', program), ...argv];
  const rewrite = program === 'u7s.js' ? rewriterOf(verb, command) : undefined;
  const terminal = rootsTerminal();
  if (terminal.stdin || terminal.stdout || terminal.stderr) await requireScript(env);
  closeInherited();
  if (rewrite !== undefined) return printRewritten(cli, invoke(entry), rewrite);

  const source = { projectRoot: cli.projectRoot, adminKubeconfig: paths.adminKubeconfig, asUser: invoke };
  const kept = verb === 'up' ? keepCheckoutKubeconfig(source) : undefined;
  const { invocation, ...options } = inOwnTerminal(account, entry, { ...env, ...checkout }, terminal);
  const exitCode = await passThrough(invocation, options);
  await kept?.end();
  if (verb === 'cleanup' && !(await exists(paths.adminKubeconfig))) await removeCheckoutKubeconfig(source);
  return exitCode;
}

/** Where a bundle has its Node.js; its copy has one as well. */
const nodeOfBundle = 'node/bin/node';

const ownNode = (projectRoot: string): boolean => existsSync(join(projectRoot, nodeOfBundle));

async function printRewritten(
  { io }: Cli,
  invocation: Invocation,
  rewrite: (output: string) => Promise<string>,
): Promise<number> {
  const { exitCode, output } = await captured(invocation, io);
  if (exitCode === 0) io.stdout.write(await rewrite(output));
  return exitCode;
}

/** Root's terminal is never handed over, so the command needs another one. */
async function requireScript(env: Env): Promise<void> {
  if ((await thisHost(env).which('script')) !== undefined) return;
  throw new U7sError(
    'no-script',
    "script(1), which gives the user's command a terminal of its own, is not installed",
    {
      fixes: [
        'install it: apt-get install bsdutils; on Fedora: dnf install /usr/bin/script',
        'or run the command without a terminal: </dev/null 2>&1 | cat',
      ],
    },
  );
}

function rootsTerminal(): RootsTerminal {
  const [stdin, stdout, stderr] = [0, 1, 2].map((fd) => isatty(fd)) as [boolean, boolean, boolean];
  const { columns, rows } = stdout ? process.stdout : process.stderr;
  return { stdin, stdout, stderr, columns, rows };
}
