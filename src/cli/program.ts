import { Command } from 'commander';
import type { Cli, DefineCommand } from './command.js';
import { defineAddon } from './commands/addon.js';
import { defineArtifacts } from './commands/artifacts.js';
import { defineBundle } from './commands/bundle.js';
import { defineCleanup } from './commands/cleanup.js';
import { defineCompletion } from './commands/completion.js';
import { defineConfig } from './commands/config.js';
import { defineDocker } from './commands/docker.js';
import { defineDoctor } from './commands/doctor.js';
import { defineDown } from './commands/down.js';
import { defineMake } from './commands/make.js';
import { defineHelm } from './commands/helm.js';
import { defineImage } from './commands/image.js';
import { defineInitHost } from './commands/init-host.js';
import { defineInstall } from './commands/install.js';
import { defineCheck } from './commands/check.js';
import { defineJoin } from './commands/join.js';
import { defineJoinCommand } from './commands/join-command.js';
import { defineKubeconfig } from './commands/kubeconfig.js';
import { defineKubectl } from './commands/kubectl.js';
import { defineLeave } from './commands/leave.js';
import { defineLogs } from './commands/logs.js';
import { defineManifests } from './commands/manifests.js';
import { defineNode } from './commands/node.js';
import { definePorts } from './commands/ports.js';
import { defineRegistry } from './commands/registry.js';
import { defineReset } from './commands/reset.js';
import { defineRestart } from './commands/restart.js';
import { defineSelfUpdate } from './commands/self-update.js';
import { defineShell } from './commands/shell.js';
import { defineStandby } from './commands/standby.js';
import { defineStatus } from './commands/status.js';
import { defineTimeline } from './commands/timeline.js';
import { defineToken } from './commands/token.js';
import { defineTop } from './commands/top.js';
import { defineUninstall } from './commands/uninstall.js';
import { defineUp } from './commands/up.js';
import { defineVersion } from './commands/version.js';
import { createGlobalOptions, wrappers } from './globals.js';
import { addExamples } from './help.js';
import { ownVersion } from './own-version.js';

/** In the order of the help. */
const commands: readonly DefineCommand[] = [
  defineUp,
  defineDown,
  defineRestart,
  defineStatus,
  defineTop,
  defineTimeline,
  defineLogs,
  defineKubectl,
  defineHelm,
  defineDocker,
  defineKubeconfig,
  defineAddon,
  defineManifests,
  definePorts,
  defineJoinCommand,
  defineToken,
  defineNode,
  defineJoin,
  defineLeave,
  defineCheck,
  defineShell,
  defineDoctor,
  defineInitHost,
  defineInstall,
  defineUninstall,
  defineSelfUpdate,
  defineStandby,
  defineArtifacts,
  defineBundle,
  defineConfig,
  defineImage,
  defineRegistry,
  defineReset,
  defineCleanup,
  defineVersion,
  defineCompletion,
  defineMake,
];

/** The whole command line. Nothing here is heavy: it is made for every `u7s kubectl` too. */
export function createProgram(cli: Cli): Command {
  const program = new Command('u7s')
    .description('Kubernetes without root privileges: makes an ordinary user account a Kubernetes node.')
    .usage('[options] <command>')
    .version(ownVersion(cli.projectRoot), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) =>
        command.parent && !wrappers.has(command.name()) ? createGlobalOptions() : [],
    })
    .configureOutput({
      writeOut: (text) => cli.io.stdout.write(text),
      writeErr: (text) => cli.io.stderr.write(text),
      getOutHelpWidth: () => cli.io.stdout.columns ?? 100,
      outputError: () => {}, // printed by run(), like every other error
    })
    .showSuggestionAfterError()
    .exitOverride()
    .enablePositionalOptions(); // what follows `kubectl` is kubectl's
  addExamples(program, [
    ['u7s up', 'start a cluster here and show how it stands; Ctrl-C stops it'],
    ['u7s up -d', 'the same in the background'],
    ['u7s kubectl get pods -A', 'run kubectl against it'],
    ['u7s logs -f kubelet', 'follow what a component says'],
    ['u7s down', 'stop it'],
  ]);
  for (const define of commands) define(program, cli);
  addGlobalOptions(program);
  return program;
}

/** Every verb takes them as well; its help shows them apart from its own. */
function addGlobalOptions(command: Command): void {
  if (wrappers.has(command.name())) return;
  for (const option of createGlobalOptions()) {
    const taken = command.options.some(
      ({ short, long }) => long === option.long || (short && short === option.short),
    );
    if (!taken) command.addOption(command.parent ? option.hideHelp() : option);
  }
  command.commands.forEach(addGlobalOptions);
}
