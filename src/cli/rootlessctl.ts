import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { catalog } from '../artifacts/catalog.js';
import { U7sError } from '../lib/errors.js';
import type { CommandFix } from '../lib/fixes.js';
import { belongsToUser } from './as-root/belongs.js';
import type { Cli } from './command.js';
import { formatError, isInterruption } from './errors.js';
import { selectedPaths } from './globals.js';
import type { Io } from './io.js';
import type { PortAccess } from './ports/access.js';
import { projectRoot, runProcess } from './process.js';
import { fixText } from './typist.js';

/** Upstream's exit code for a word that is no command. */
const unknownCommand = 3;
const delegated = 'rootlessctl.delegated';

type GlobalFlags = { debug?: true; socket?: string; cluster?: string };
type Flags = { json?: true };

/** The program `rootlessctl`, from this process's arguments to its exit code. */
export function main(): Promise<void> {
  return runProcess(run);
}

/**
 * Runs one command line and returns its exit code. Commands, output and exit codes are those of RootlessKit's own
 * rootlessctl. In addition, this one finds the cluster by itself, and what it adds survives restarts.
 */
export async function run(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const cli: Cli = { io, signal, projectRoot, exitCode: 0 };
  const program = createProgram(cli);
  program.hook('preAction', async (_, command) => {
    if (command.optsWithGlobals<GlobalFlags>().socket !== undefined || !belongsToUser(command, io.env))
      return;
    const { runAsUser } = await import('./as-root/as-user.js');
    const exitCode = await runAsUser(cli, argv, command, 'rootlessctl.js');
    throw new CommanderError(exitCode, delegated, '');
  });
  try {
    await program.parseAsync(argv.map(doubleDashed), { from: 'user' });
    return 0;
  } catch (thrown) {
    if (isInterruption(thrown, signal)) return signal.reason instanceof U7sError ? signal.reason.exitCode : 1;
    const wrongUsage = thrown instanceof CommanderError;
    if (wrongUsage && (thrown.exitCode === 0 || thrown.code === delegated)) return thrown.exitCode;
    if (wrongUsage && thrown.code === 'commander.help') {
      io.stdout.write(program.helpInformation());
      return 0;
    }
    const error = wrongUsage
      ? new U7sError('usage', thrown.message.replace(/^error: /, ''), { fixes: [ctl('--help')] })
      : thrown;
    io.stderr.write(
      formatError(error, program.opts<GlobalFlags>().debug === true, (fix) => fixText(cli, fix)),
    );
    return wrongUsage && thrown.code === 'commander.unknownCommand' ? unknownCommand : 1;
  }
}

const ctl = (...args: string[]): CommandFix => ({ commands: [args], program: 'rootlessctl' });

/** The program without its commands. */
function bareProgram({ io }: Cli): Command {
  return new Command('rootlessctl')
    .description('List, add and remove the ports that RootlessKit publishes on the host.')
    .usage('[options] <command>')
    .option('--debug', 'show the causes of an error, too')
    .option(
      '--socket <path>',
      "RootlessKit's api.sock (default: in $ROOTLESSKIT_STATE_DIR, else the cluster's)",
    )
    .option('--cluster <name>', 'which cluster (default: $U7S_CLUSTER, or "default")')
    .version(`rootlessctl version ${catalog.rootlesskit.version}`, '-v, --version', 'print the version')
    .helpCommand('help [command]', 'show help of a command')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => {}, // only the help when there is no command, which is no error here
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      outputError: () => {}, // printed by run(), like every other error
    })
    .exitOverride()
    .enablePositionalOptions();
}

function createProgram(cli: Cli): Command {
  const { io, signal } = cli;
  const program = bareProgram(cli);
  const print = (line: string): void => void io.stdout.write(`${line}\n`);

  program
    .command('list-ports')
    .description('list the ports')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: Flags, command: Command) => {
      const { portJson, rootlessctlTable } = await import('./ports/output.js');
      const published = await (await ports(cli, command)).list(signal);
      if (json) published.map(portJson).forEach(print);
      else io.stdout.write(rootlessctlTable(published));
    });

  program
    .command('add-ports')
    .description(
      'publish ports, each like 127.0.0.1:8080:80/tcp or [::1]:8080:10.0.2.100:80/udp, and print their IDs',
    )
    .argument('[specs...]', 'PARENTIP:PARENTPORT:[CHILDIP:]CHILDPORT/PROTO')
    .option('--json', 'one JSON object a line')
    .passThroughOptions()
    .action(async (words: string[], { json }: Flags, command: Command) => {
      const [{ parsePortSpec }, { portJson }] = await Promise.all([
        import('../rootless/port-spec.js'),
        import('./ports/output.js'),
      ]);
      if (words.length === 0)
        throw new U7sError('usage', 'no port specified', {
          fixes: ['name one, for example 127.0.0.1:8080:80/tcp'],
        });
      const specs = words.map(parsePortSpec);
      const access = await ports(cli, command);
      for (const spec of specs) {
        const port = await access.add(spec, signal);
        print(json ? portJson(port) : String(port.id));
      }
    });

  program
    .command('remove-ports')
    .description('end the publishing of ports, and print their IDs')
    .argument('[ids...]', 'the IDs that list-ports shows')
    .passThroughOptions()
    .action(async (words: string[], _, command: Command) => {
      const { parsePortId } = await import('./ports/access.js');
      if (words.length === 0) throw new U7sError('usage', 'no ID specified', { fixes: [ctl('list-ports')] });
      const ids = words.map(parsePortId);
      const access = await ports(cli, command);
      for (const id of ids) {
        await access.remove(id, signal);
        print(String(id));
      }
    });

  program
    .command('info')
    .description('show what RootlessKit reports of itself')
    .option('--json', 'as JSON')
    .action(async ({ json }: Flags, command: Command) => {
      const [{ createPortClient }, { infoText }] = await Promise.all([
        import('../rootless/api-client.js'),
        import('./ports/output.js'),
      ]);
      const socket = namedSocket(cli, command) ?? (await selectedPaths(cli, command)).apiSocket;
      const info = await createPortClient(socket).info(signal);
      print(json ? JSON.stringify(info, null, 4) : infoText(info));
    });

  return program;
}

/** What is named as a socket may be a RootlessKit that is not ours. */
function namedSocket({ io }: Cli, command: Command): string | undefined {
  const { socket, cluster } = command.optsWithGlobals<GlobalFlags>();
  const stateDir = cluster === undefined ? io.env['ROOTLESSKIT_STATE_DIR'] : undefined;
  return socket ?? (stateDir ? join(stateDir, 'api.sock') : undefined);
}

async function ports(cli: Cli, command: Command): Promise<PortAccess> {
  const { portsBehind, portsOfInstance } = await import('./ports/access.js');
  const socket = namedSocket(cli, command);
  if (socket !== undefined) return portsBehind(socket);
  return portsOfInstance((await selectedPaths(cli, command)).controlSocket);
}

/** Upstream, as all programs in Go, takes long options with one dash too. */
function doubleDashed(word: string): string {
  return /^-(debug|socket|cluster|version|help|json)(=|$)/.test(word) ? `-${word}` : word;
}
