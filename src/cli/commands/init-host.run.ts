import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { execa } from 'execa';
import { accountName } from '../../host/account.js';
import { gatherFacts } from '../../host/facts.js';
import { thisHost } from '../../host/host.js';
import { planInitHost, renderScript, runInitHost, type InitStep } from '../../host/init-host.js';
import { U7sError } from '../../lib/errors.js';
import { runtimes } from '../../runtimes/table.js';
import { resolveSettings } from '../../settings/resolve.js';
import type { Cli } from '../command.js';
import { openReporter } from '../globals.js';

export type InitHostOptions = {
  dryRun?: boolean;
  user?: string;
  preset: string;
  buildTools?: boolean;
  forImage?: true;
};

export async function run(cli: Cli, command: Command, options: InitHostOptions): Promise<void> {
  if (options.dryRun) cli.io.stdout.write(renderScript((await planSteps(cli, options)).steps));
  else await prepareHost(cli, command, options);
}

/** Does what is left to do, as root or through sudo, and shows it as `command` asks. */
async function prepareHost(cli: Cli, command: Command, options: InitHostOptions): Promise<void> {
  const { user, steps } = await planSteps(cli, options);
  const { report, close } = await openReporter(cli, command);
  try {
    if (steps.length === 0) {
      report({ kind: 'note', text: `this host is prepared for ${user}` });
    } else if (isRoot()) {
      await runInitHost(steps, { env: cli.io.env, report, signal: cli.signal });
    } else {
      report({ kind: 'note', text: `preparing this host for ${user} needs root: asking sudo` });
      close();
      await throughSudo(cli, { ...options, user });
    }
  } finally {
    close();
  }
}

async function planSteps(cli: Cli, options: InitHostOptions): Promise<{ user: string; steps: InitStep[] }> {
  const { env } = cli.io;
  const user = options.user ?? (isRoot() ? accountName(env) : env['U7S_USER'] || userInfo().username);
  const host = thisHost(env);
  const buildTools = options.buildTools ?? (await host.which('go')) !== undefined;
  const { runtime } = await resolveSettings({ preset: options.preset, projectRoot: cli.projectRoot, env });
  const { hostPrograms: runtimePrograms = [] } = runtimes[runtime];
  const facts = await gatherFacts(host, { user, buildTools, runtimePrograms });
  return { user, steps: planInitHost(facts, { user, ...(options.forImage ? { forImage: true } : {}) }) };
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** What package managers must know to get out; kept by name, so that no value is in an argument list. */
const keptVariables = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'NO_COLOR',
  'CI',
];

async function throughSudo(
  cli: Cli,
  { user, preset, buildTools }: InitHostOptions & { user: string },
): Promise<void> {
  const buildFlag = buildTools === undefined ? [] : [buildTools ? '--build-tools' : '--no-build-tools'];
  const self = [process.execPath, join(cli.projectRoot, 'bin', 'u7s.js')];
  const command = [...self, 'init-host', '--user', user, '--preset', preset, ...buildFlag];
  const fix = `as root: ${command.join(' ')}`;
  const kept = keptVariables.filter((name) => cli.io.env[name] !== undefined);
  const preserve = kept.length > 0 ? [`--preserve-env=${kept.join(',')}`] : [];
  const { exitCode, code } = await execa('sudo', [...preserve, '--', ...command], {
    stdio: 'inherit',
    reject: false,
  });
  cli.signal.throwIfAborted();
  if (code === 'ENOENT')
    throw new U7sError('root-needed', 'preparing the host needs root, and sudo is not installed', {
      fixes: [fix],
    });
  if (exitCode !== 0)
    throw new U7sError('sudo-failed', `preparing the host through sudo failed (exit code ${exitCode})`, {
      fixes: [fix],
    });
}
