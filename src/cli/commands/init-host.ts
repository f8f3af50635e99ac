import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { InitStep } from '../../host/init-host.js';
import { U7sError } from '../../lib/errors.js';
import { defaultCluster } from '../../settings/paths.js';
import type { Cli, DefineCommand } from '../command.js';
import { defaultPreset } from '../../settings/default-preset.js';
import { openReporter } from '../globals.js';
import { addExamples } from '../help.js';

type InitHostOptions = { user?: string; preset: string; buildTools?: boolean; forImage?: true };

export const defineInitHost: DefineCommand = (program, cli) => {
  const command = program
    .command('init-host')
    .description(
      'Prepare this host for rootless nodes: packages, sub-IDs, devices, kernel settings; as root or through sudo',
    )
    .option('--dry-run', 'only print the script that would run')
    .option(
      '--user <name>',
      'whom to prepare it for (default: $U7S_USER, the caller, or as root "usernetes")',
    )
    .option('--preset <name>', 'what it is to run', defaultPreset)
    .option('--build-tools', 'also install what building binaries takes (default: where Go is installed)')
    .option('--no-build-tools', 'leave that out')
    .option('--for-image', 'only what lasts in the image of a container: packages, user, sub-IDs')
    .action(async (options: InitHostOptions & { dryRun?: boolean }) => {
      if (!options.dryRun) return prepareHost(cli, command, options);
      const { renderScript } = await import('../../host/init-host.js');
      cli.io.stdout.write(renderScript((await planSteps(cli, options)).steps));
    });
  addExamples(command, [
    ['u7s init-host --dry-run', 'show what is to be done, as a script'],
    ['sudo u7s init-host', 'do it'],
    ['sudo u7s init-host --preset default-crio', 'with what CRI-O needs of the host'],
  ]);
};

/** Does what is left to do, as root or through sudo, and shows it; `command` tells how. */
async function prepareHost(cli: Cli, command: Command, options: InitHostOptions): Promise<void> {
  const { user, steps } = await planSteps(cli, options);
  const { report, close } = await openReporter(cli, command);
  try {
    if (steps.length === 0) {
      report({ kind: 'note', text: `this host is prepared for ${user}` });
    } else if (isRoot()) {
      const { runInitHost } = await import('../../host/init-host.js');
      await runInitHost(steps, { env: cli.io.env, report, signal: cli.signal });
    } else {
      report({ kind: 'note', text: `preparing this host for ${user} takes root: asking sudo` });
      close();
      await throughSudo(cli, { ...options, user });
    }
  } finally {
    close();
  }
}

async function planSteps(cli: Cli, options: InitHostOptions): Promise<{ user: string; steps: InitStep[] }> {
  const [
    { accountName },
    { gatherFacts },
    { thisHost },
    { planInitHost },
    { resolveSettings },
    { runtimes },
  ] = await Promise.all([
    import('../../host/account.js'),
    import('../../host/facts.js'),
    import('../../host/host.js'),
    import('../../host/init-host.js'),
    import('../../settings/resolve.js'),
    import('../../runtimes/table.js'),
  ]);
  const { env } = cli.io;
  const user = options.user ?? (isRoot() ? accountName(env) : env['U7S_USER'] || userInfo().username);
  const host = thisHost(env);
  const buildTools = options.buildTools ?? (await host.which('go')) !== undefined;
  const { runtime } = await resolveSettings(cli, defaultCluster, options.preset, {});
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
  const { execa } = await import('execa');
  const preserve = kept.length > 0 ? [`--preserve-env=${kept.join(',')}`] : [];
  const { exitCode, code } = await execa('sudo', [...preserve, '--', ...command], {
    stdio: 'inherit',
    reject: false,
  });
  cli.signal.throwIfAborted();
  if (code === 'ENOENT')
    throw new U7sError('todo', 'preparing the host takes root, and sudo is not installed', { fixes: [fix] });
  if (exitCode !== 0)
    throw new U7sError('todo', `preparing the host through sudo failed (exit code ${exitCode})`, {
      fixes: [fix],
    });
}
