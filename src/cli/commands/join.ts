import { Option } from 'commander';
import type { Invitation } from '../../membership/join.js';
import type { Paths } from '../../settings/paths.js';
import type { Settings } from '../../settings/schema.js';
import type { UpResult } from '../../instance/up.js';
import { dockerConfigFolder } from '../../host/docker-context.js';
import type { NamespaceTrial } from '../../host/namespace-trial.js';
import { U7sError, UsageError } from '../../lib/errors.js';
import type { Report } from '../../lib/events.js';
import { runtimeNames, type RuntimeName } from '../../settings/runtime-names.js';
import type { Cli, DefineCommand } from '../command.js';
import { globalOptions, openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { duration } from '../options/values.js';
import { startOptions } from '../options/start.js';
import { defaultTimeoutMs } from '../../instance/start.js';
import type { SettingsFlags } from '../../settings/resolve.js';

type JoinFlags = Pick<SettingsFlags, 'artifacts' | 'artifact' | 'nodeName' | 'hostIp' | 'kubeletPort'> & {
  token?: string;
  discoveryTokenCaCertHash?: string;
  joinFile?: string;
  foreground?: boolean;
  runtime: RuntimeName;
  timeout: number;
};

export const defineJoin: DefineCommand = (program, cli) => {
  const command = program
    .command('join')
    .description('Make this host a node of a cluster whose control plane runs on another host')
    .argument('[host:port]', 'the control plane, as its join-command prints it')
    .option('--token <token>', 'admits the node')
    .option('--discovery-token-ca-cert-hash <sha256:hash>', 'tells the right control plane from others')
    .addOption(
      new Option(
        '--join-file <path>',
        'take all this from the line in a file, once it is there, or from what is read (-); a node that has joined is started',
      ).conflicts(['token', 'discoveryTokenCaCertHash']),
    )
    .option('--foreground', 'stay with the node until Ctrl-C stops it')
    .addOption(
      new Option('--runtime <name>', 'container runtime of this node')
        .choices(runtimeNames)
        .default('containerd'),
    )
    .addOption(startOptions.nodeName())
    .option(
      '--host-ip <address>',
      'address of this host by which the others reach it (default: the one it reaches the control plane from)',
    )
    .addOption(startOptions.kubeletPort())
    .addOption(startOptions.artifacts())
    .addOption(startOptions.artifact())
    .option(
      '--timeout <duration>',
      'fail when the node is not Ready by then, as 90s or 5m',
      duration,
      defaultTimeoutMs,
    )
    .action(async (endpoint: string | undefined, flags: JoinFlags) => {
      // The token is nobody else's to read in the list of processes.
      process.title = 'u7s join';
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const { report, close } = await openReporter(cli, command);
      const stay = async (result: UpResult): Promise<void> => {
        if (result.state === 'already-running') return;
        if (!flags.foreground) return result.launcher.detach();
        const { keepUp } = await import('../keep-up.js');
        await keepUp(cli, cluster, result.launcher);
      };
      try {
        if (flags.joinFile !== undefined && (await isMember(paths))) {
          const [{ startCluster }, { tellReady }] = await Promise.all([
            import('../../instance/start.js'),
            import('../keep-up.js'),
          ]);
          const result = await startCluster(cli, { cluster, paths }, undefined, flags, report);
          const foreground = flags.foreground === true;
          await tellReady(cli, cluster, result, { dockerSocket: paths.dockerSocket, foreground });
          return await stay(result);
        }
        const invitation = await invitationOf(cli, endpoint, flags, report);
        const { settings, result } = await join(cli, paths, invitation, flags, report);
        const option = cluster === 'default' ? '' : ` --cluster ${cluster}`;
        cli.io.stdout.write(
          `node ${settings.nodeName} has joined ${settings.controlPlane} and is Ready\n\n` +
            `  u7s${option} down     stops it; u7s${option} up brings it back\n` +
            `  u7s${option} leave    takes it out of the cluster, with its data\n`,
        );
        await stay(result);
      } finally {
        close();
      }
    });
  addExamples(command, [
    [
      'u7s join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:…',
      'the line that u7s join-command prints on the control plane',
    ],
    [
      'u7s join --join-file ./join-command',
      'by the line that was written to a file, so that no argument is secret',
    ],
    ['u7s join … --node-name second --host-ip 192.0.2.11', 'under another name, at a certain address'],
  ]);
};

/** What the command line says, or the file that it names. */
async function invitationOf(
  cli: Cli,
  endpoint: string | undefined,
  { token, discoveryTokenCaCertHash: caHash, joinFile }: JoinFlags,
  report: Report,
): Promise<Invitation> {
  const { parseInvitation } = await import('../../membership/join.js');
  if (joinFile !== undefined) {
    const { readJoinFile } = await import('../../instance/join-file.js');
    const words = await readJoinFile(cli, joinFile, report);
    return parseInvitation(words.endpoint, words.token, words.caHash);
  }
  if (endpoint === undefined || token === undefined || caHash === undefined) {
    throw new UsageError(
      'todo',
      'join takes HOST:PORT, --token and --discovery-token-ca-cert-hash, or --join-file',
      'paste the whole line that the control plane prints: u7s join-command',
    );
  }
  return parseInvitation(endpoint, token, caHash);
}

async function isMember(paths: Paths): Promise<boolean> {
  const { membership } = await import('../../instance/leave.js');
  return (await membership(paths)) !== undefined;
}

async function join(
  cli: Cli,
  paths: Paths,
  invitation: Invitation,
  flags: JoinFlags,
  report: Report,
): Promise<{ settings: Settings; result: UpResult }> {
  const { signal } = cli;
  const [
    { approach, joinWith, requireRoom },
    { up },
    { artifactsOf },
    { ensureArtifacts },
    { artifactContext },
  ] = await Promise.all([
    import('../../membership/join.js'),
    import('../../instance/up.js'),
    import('../../plan/plan.js'),
    import('../../artifacts/resolve.js'),
    import('../../instance/artifact-context.js'),
  ]);
  await requireNothingHere(cli, paths);
  const controlPlane = await approach(invitation, report, signal);
  const settings = await settingsOf(cli, controlPlane, flags, report);
  await requireRoom(controlPlane, { nodeName: settings.nodeName, hostIp: settings.hostIp ?? '' }, signal);
  const artifacts = await artifactContext(cli, {
    artifacts: settings.artifacts,
    given: settings.artifactPaths,
    report,
  });
  const trial = await checkHost(cli, settings, paths);
  // To get them takes longer than a refusal may come late.
  await ensureArtifacts(artifactsOf(settings), artifacts);
  const start = (): Promise<UpResult> =>
    up({
      settings,
      paths,
      projectRoot: cli.projectRoot,
      artifacts,
      checkHost: () => Promise.resolve(trial),
      timeoutMs: flags.timeout,
      retain: false,
      kubeconfig: {},
      dockerConfig: dockerConfigFolder(cli.io.env, paths.home),
      report,
      signal,
    });
  const result = await joinWith(settings, paths, controlPlane, start, report, signal);
  return { settings, result };
}

async function requireNothingHere(cli: Cli, paths: Paths): Promise<void> {
  const { readRemembered } = await import('../../settings/remembered.js');
  const before = await readRemembered(paths.remembered);
  if (before === undefined) {
    // Data without an owner is what a leave that was cut short has left.
    const { emptyCluster } = await import('../../instance/leave.js');
    return emptyCluster(cli, paths);
  }
  const { controlPlane, nodeName } = before.settled;
  if (controlPlane !== undefined) {
    throw new U7sError('todo', `this is node ${nodeName} of ${controlPlane} already`, {
      fixes: ['start it: u7s up; or take it out of that cluster first: u7s leave'],
    });
  }
  throw new U7sError('todo', `cluster ${cli.cluster} has a control plane of its own here`, {
    fixes: ['join beside it: u7s --cluster NAME join …\nor give up its data: u7s reset'],
  });
}

async function settingsOf(
  cli: Cli,
  { server, facts, localAddress }: { server: string; facts: object; localAddress: string },
  flags: JoinFlags,
  report: Report,
): Promise<Settings> {
  const [{ resolveSettings }, { freePortFinder }] = await Promise.all([
    import('../../settings/resolve.js'),
    import('../../instance/node-ports.js'),
  ]);
  const { artifacts, artifact, nodeName, hostIp, kubeletPort, runtime } = flags;
  return resolveSettings(
    cli,
    cli.cluster ?? '',
    `default-${runtime}`,
    Object.fromEntries(
      Object.entries({ artifacts, artifact, nodeName, hostIp, kubeletPort }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    {
      settled: { hostIp: localAddress },
      given: { ...facts, controlPlane: server },
      freePort: freePortFinder(report),
    },
  );
}

async function checkHost(cli: Cli, settings: Settings, paths: Paths): Promise<NamespaceTrial> {
  const [{ hostCheck, hostOf }, { requireNodePorts }] = await Promise.all([
    import('../../instance/host-check.js'),
    import('../../instance/node-ports.js'),
  ]);
  const trial = await hostCheck(await hostOf(cli, settings, paths));
  await requireNodePorts(settings);
  return trial;
}
