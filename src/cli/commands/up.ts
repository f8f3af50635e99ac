import { Option } from 'commander';
import type { GivenPaths } from '../../artifacts/catalog.js';
import type { Paths } from '../../cluster/paths.js';
import type { ClusterSpec } from '../../cluster/spec.js';
import type { UpResult } from '../../cluster/up.js';
import { U7sError } from '../../lib/errors.js';
import type { NamespaceTrial } from '../../host/namespace-trial.js';
import type { CheckContext } from '../../host/preflight.js';
import { dockerConfigFolder } from '../../host/docker-context.js';
import { actsForRoot, checkoutFolder, hostKubectl } from '../checkout.js';
import { linkKubeconfig } from '../checkout-link.js';
import type { Cli, DefineCommand } from '../command.js';
import { defaultPreset } from '../default-preset.js';
import { globalOptions, selectedPaths, type GlobalOptions } from '../globals.js';
import { addExamples } from '../help.js';
import { artifactPath, duration, port } from '../option-values.js';

type UpFlags = {
  initHost?: boolean;
  detach?: boolean;
  retain?: boolean;
  timeout: number;
  artifacts?: 'auto' | 'download' | 'build' | 'host';
  artifact?: GivenPaths;
  nodeName?: string;
  apiPort?: number;
  kubeletPort?: number;
  flannelPort?: number;
  portBase?: number;
  hostIp?: string;
  apiAddress?: string;
  publishAddress?: string;
  publish?: string[];
  expose: boolean;
  config?: string;
  kubeconfig?: string;
};

export const defineUp: DefineCommand = (program, cli) => {
  const command = program
    .command('up')
    .description('Start the cluster and show how it stands until Ctrl-C stops it')
    .argument('[preset]', `what to run (default: what the cluster was before, else ${defaultPreset})`)
    .option('--init-host', 'as root: prepare the host first')
    .option('-d, --detach', 'return when the cluster is Ready and leave it running')
    .option('--retain', 'leave a cluster that failed to start as it is, to be looked into')
    .option(
      '--timeout <duration>',
      'fail when the cluster is not Ready by then, as 90s or 5m',
      duration,
      300_000,
    )
    .addOption(
      new Option('--artifacts <way>', 'where binaries come from').choices([
        'auto',
        'download',
        'build',
        'host',
      ]),
    )
    .option(
      '--artifact <name=path>',
      'use this program, or folder of programs, as that artifact; may be repeated',
      artifactPath,
    )
    .option('--node-name <name>', 'name of the node (default: u7s-<hostname>)')
    .option(
      '--host-ip <address>',
      'address of the host by which nodes of other hosts reach this one, so that they can join (default: none)',
    )
    .option(
      '--api-port <port>',
      'port of the host that the API is published on (default: 6443, or the next that is free)',
      port,
    )
    .option(
      '--kubelet-port <port>',
      'port that the kubelet is published on (default: 10250, or the next)',
      port,
    )
    .option('--flannel-port <port>', 'UDP port of the pods’ network (default: 8472, or the next)', port)
    .option(
      '--port-base <port>',
      'the first of four ports in a row, for API, kubelet, Flannel and etcd',
      port,
    )
    .option(
      '--api-address <address>',
      'address of the host that the API is published on (default: that of --host-ip, or 127.0.0.1)',
    )
    .option(
      '--publish-address <address>',
      'address of the host that Services and host ports are published on (default: that of --host-ip, or 127.0.0.1)',
    )
    .option(
      '--publish <spec>',
      'publish a port at each start, like 127.0.0.1:8080:80/tcp; may be repeated (default: $U7S_ROOTLESSKIT_PORTS)',
      (spec: string, before: string[] = []) => [...before, spec],
    )
    .option('--no-expose', 'publish no Services and no host ports of pods')
    .option('--config <file>', 'a cluster description in YAML, over the preset')
    .option('--kubeconfig <file>', 'where to add the cluster (default: as kubectl finds it)')
    .action(async (preset: string | undefined, flags: UpFlags) => {
      const globals = globalOptions(cli, command);
      const { createReporter } = await import('../../ui/reporter.js');
      const { report, close } = createReporter(cli.io, { ...globals, mode: globals.progress });
      try {
        const result = await start(preset, flags);
        const paths = await selectedPaths(cli, command);
        const hasApi = result.status.apiServer !== undefined;
        if (hasApi && !actsForRoot(cli)) await linkKubeconfig(cli.projectRoot, paths.adminKubeconfig);
        await keepUp(cli, globals, result, flags, paths.dockerSocket);
      } finally {
        close();
      }

      async function start(name: string | undefined, options: UpFlags): Promise<UpResult> {
        const [{ up }, { readIdentity }, { upSpec }, { artifactContext }, { hostOf }, { freePortFinder }] =
          await Promise.all([
            import('../../cluster/up.js'),
            import('../../cluster/identity.js'),
            import('../up-spec.js'),
            import('../artifact-context.js'),
            import('../host-check.js'),
            import('../node-ports.js'),
          ]);
        const paths = await selectedPaths(cli, command);
        const before = await readIdentity(paths.identity);
        const preset = name ?? before?.preset ?? defaultPreset;
        const spec = await upSpec(cli, globals.cluster, preset, options, {
          settled: before?.settled ?? {},
          ...(before === undefined ? {} : { artifactPaths: before.artifactPaths }),
          freePort: freePortFinder(report),
        });
        const host = await hostOf(cli, spec, paths);
        return up({
          spec,
          paths,
          projectRoot: cli.projectRoot,
          artifacts: await artifactContext(cli, {
            artifacts: spec.artifacts,
            given: spec.artifactPaths,
            report,
          }),
          checkHost: () => checkHost(spec, paths, host),
          timeoutMs: options.timeout,
          retain: options.retain ?? false,
          kubeconfig: { explicit: options.kubeconfig, env: cli.io.env['KUBECONFIG'] },
          dockerConfig: dockerConfigFolder(cli.io.env, paths.home),
          report,
          signal: cli.signal,
        });
      }

      async function checkHost(spec: ClusterSpec, paths: Paths, host: CheckContext): Promise<NamespaceTrial> {
        const [{ hostCheck }, { requireNodePorts }] = await Promise.all([
          import('../host-check.js'),
          import('../node-ports.js'),
        ]);
        const trial = await hostCheck(host);
        await requireNodePorts(spec);
        if (spec.controlPlane === undefined) return trial;
        const { requireMembership } = await import('../../cluster/join.js');
        await requireMembership(spec, paths, report, cli.signal);
        return trial;
      }
    });
  addExamples(command, [
    ['u7s up', 'start, stay in the foreground'],
    ['u7s up default-containerd -d', 'with containerd alone, in the background'],
    ['u7s up default-docker-nokube', 'dockerd without Kubernetes'],
    ['u7s up -d --host-ip 192.0.2.10', 'so that nodes of other hosts can join: u7s join-command'],
    ['./run.sh --init-host', 'as root on a fresh machine: prepare it, then start as an ordinary user'],
  ]);
};

/** Tells that the cluster is there and, in the foreground, stays with it to its end. */
async function keepUp(
  cli: Cli,
  globals: GlobalOptions,
  result: UpResult,
  flags: UpFlags,
  dockerSocket: string,
): Promise<void> {
  const [{ readySummary }, { hasDocker }, { formatElapsed }] = await Promise.all([
    import('../ready-summary.js'),
    import('../../cluster/status-report.js'),
    import('../../ui/renderer.js'),
  ]);
  const already = result.state === 'already-running';
  cli.io.stdout.write(
    readySummary({
      cluster: globals.cluster,
      status: result.status,
      dockerSocket: hasDocker(result.status) ? dockerSocket : undefined,
      state: already
        ? `is ${result.status.phase} already`
        : `is ready after ${formatElapsed(process.uptime() * 1000)}`,
      checkout: checkoutFolder(cli),
      hostKubectl: await hostKubectl(cli, already || result.inKubeconfig),
      foreground: !already && flags.detach !== true,
    }),
  );
  if (already) return;
  if (flags.detach) return result.launcher.detach();
  const { notifyReady } = await import('../../host/systemd.js');
  await notifyReady(`cluster ${globals.cluster} is Ready`, cli.io.env);
  const stop = (): void => result.launcher.send({ type: 'stop' });
  cli.signal.addEventListener('abort', stop, { once: true });
  if (cli.signal.aborted) stop();
  const fault = await result.launcher.ended;
  cli.signal.throwIfAborted();
  if (fault !== undefined)
    throw new U7sError(`the launcher ended unexpectedly: ${fault}`, { fix: 'start it again' });
}
