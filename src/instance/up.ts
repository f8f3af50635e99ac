import { readFile, rmdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureArtifacts, type ArtifactContext } from '../artifacts/resolve.js';
import { detectCgroups } from '../host/cgroup.js';
import type { NamespaceTrial } from '../host/namespace-trial.js';
import { publishContext } from '../host/docker-context.js';
import { thisHost } from '../host/host.js';
import { hostNetworks } from '../host/routes.js';
import { checkSocketPath } from '../host/user-dirs.js';
import { bundledImages } from '../images/bundled.js';
import { loadAddons } from '../kube/addons.js';
import type { KubeObject } from '../kube/object.js';
import { ensureDir, writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, errnoOf, messageOf } from '../lib/errors.js';
import { step, warningOf, type Report } from '../lib/events.js';
import { withLock } from '../lib/lock-file.js';
import { certificateTable, workerCertificates } from '../pki/certificates.js';
import { authorityFile } from '../pki/identity.js';
import { ensurePki } from '../pki/rotate.js';
import { dockerOptionsFile } from '../runtimes/docker.js';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { publishKubeconfig, type KubeconfigTarget } from './kubeconfig.js';
import { instanceStatus, stopInstance } from '../launcher/client.js';
import { removeFailedStart, sweep } from './removal.js';
import { unready } from '../launcher/diagnosis.js';
import { readDockerOptions } from '../runtimes/docker-options.js';
import { factsOf } from '../membership/facts.js';
import { readRemembered, refuseSwitch, remember } from '../settings/remembered.js';
import { startLauncherProcess, type LauncherHandle } from '../launcher/handle.js';
import { shadowed } from '../settings/networks.js';
import { renewCertificates } from '../membership/certificates.js';
import { instanceName, type Paths } from '../settings/paths.js';
import {
  artifactsOf,
  binaryOf,
  certificateInput,
  planCluster,
  planNamespaces,
  type Artifacts,
  type HostFacts,
} from '../plan/plan.js';
import type { ClusterPlan } from '../plan/types.js';
import type { InstanceStatus } from '../launcher/status.js';
import { roleOf } from '../settings/role.js';
import { artifactsOfSnapshotter, chooseSnapshotter } from '../plan/snapshotter.js';
import type { Settings } from '../settings/schema.js';
import { createTimelineRecorder, type Timeline } from './timeline.js';

export type UpOptions = {
  settings: Settings;
  paths: Paths;
  /** Folder of this installation: config/, dist/ … */
  projectRoot: string;
  artifacts: ArtifactContext;
  /** Refuses, with cause and fix, a host that cannot run the cluster; tells what works on one that can. */
  checkHost: () => Promise<NamespaceTrial>;
  /** Milliseconds until a cluster that is not Ready counts as failed. */
  timeoutMs: number;
  /** Leave a cluster that failed to start as it is, to be looked into. */
  retain: boolean;
  kubeconfig: KubeconfigTarget;
  /** Where the user's docker keeps its contexts. */
  dockerConfig: string;
  report: Report;
  signal: AbortSignal;
};

export type UpResult =
  | { state: 'already-running'; status: InstanceStatus }
  /** The launcher runs the cluster; the caller detaches it or waits for its end. */
  | { state: 'ready'; status: InstanceStatus; launcher: LauncherHandle; inKubeconfig: boolean };

/**
 * Makes the cluster run and waits until it is Ready. What fails before then is stopped and cleaned up. Of several that
 * are started at once one does it; the others wait for it and find the cluster running.
 */
export async function up(options: UpOptions): Promise<UpResult> {
  const { paths, signal, report } = options;
  checkSocketPath(paths.apiSocket);
  await writable(paths.runtime, () => ensureDir(paths.runtime));
  const onWait = (pid: number): void =>
    report({ kind: 'note', text: `process ${pid} is starting this cluster already: waiting for it` });
  try {
    return await withLock(paths.startLock, signal, onWait, async () => {
      refuseSwitch(options.settings, await readRemembered(paths.remembered));
      const running = await present(options);
      return running === undefined ? start(options) : { state: 'already-running', status: running };
    });
  } finally {
    // Nothing of a start that failed is left, not even an empty folder.
    await rmdir(paths.runtime).catch(() => undefined);
  }
}

/** The cluster that runs already, if it does; one that is just being stopped is waited for. */
async function present({ settings, paths, signal, report }: UpOptions): Promise<InstanceStatus | undefined> {
  const status = await instanceStatus(paths.controlSocket, signal);
  switch (status?.phase) {
    case 'stopping':
      report({ kind: 'note', text: `cluster ${settings.name} is just being stopped: waiting for that` });
      await stopInstance(paths.controlSocket, signal);
      return undefined;
    case 'starting':
      throw new U7sError(
        'todo',
        `cluster ${settings.name} has failed to start and was kept for being looked into`,
        {
          fixes: ['stop it: u7s down'],
        },
      );
    default:
      return status;
  }
}

async function start(given: UpOptions): Promise<UpResult> {
  const timeline = createTimelineRecorder(given.report);
  const options = { ...given, report: timeline.report };
  const { paths, signal, report } = options;
  const trial = await timeline.time('host', 'host checks', options.checkHost);
  const cgroups = await detectCgroups(options.artifacts.env);
  await warnOfShadows(options);
  if (cgroups.mode === 'none') report({ kind: 'note', text: cgroups.reason });
  const dockerOptions =
    options.settings.runtime === 'docker'
      ? await readDockerOptions(dockerOptionsFile(paths.runtimeConfig))
      : {};
  const host = { ...hostFacts(trial, cgroups.mode, options), dockerOptions };
  const needed = [
    ...artifactsOf(options.settings),
    ...artifactsOfSnapshotter(host.snapshotter, options.settings.runtime),
  ];
  const artifacts = await timeline.time('artifacts', 'binaries', () =>
    ensureArtifacts(needed, options.artifacts),
  );
  await makeFolders(paths);
  await remember(paths.remembered, options.settings);

  const launcher = await startLauncherProcess({
    enter: cgroups.enter,
    script: join(options.projectRoot, 'dist/entries/launch.js'),
    logs: paths.logs,
    cwd: paths.state,
    env: {
      PATH: options.artifacts.env['PATH'] ?? '',
      HOME: paths.home,
      XDG_RUNTIME_DIR: dirname(paths.runtime),
    },
    report,
  });
  try {
    const supervise = [host.node, join(host.scripts, 'supervise.js')];
    const plan = planNamespaces(options.settings, paths, artifacts, host, supervise);
    launcher.send({ type: 'open', plan, retain: options.retain });
    let services: ServiceDefinition[] = [];
    const bringUp = async (): Promise<void> => {
      const cluster = await prepareCluster(options, artifacts, host);
      ({ services } = cluster);
      launcher.send({ type: 'run', plan: cluster });
      await launcher.ready;
    };
    await within(options.timeoutMs, Promise.race([bringUp(), launcher.ready]), paths, signal);
    await saveTimeline(paths.timeline, timeline.finish(options.settings.name, services), report);
    const administers = options.settings.kubernetes && roleOf(options.settings) === 'control-plane';
    const fault = administers
      ? await publishKubeconfig(options.settings, paths, options.kubeconfig)
      : undefined;
    if (fault !== undefined) report(warningOf(fault));
    await offerDocker(options);
    const status = await instanceStatus(paths.controlSocket, signal);
    if (status === undefined) throw new U7sError('todo', 'the cluster ended as soon as it was Ready');
    return { state: 'ready', status, launcher, inKubeconfig: administers && fault === undefined };
  } catch (error) {
    if (options.retain && !signal.aborted) {
      launcher.detach();
    } else {
      launcher.send({ type: 'stop' });
      await launcher.ended;
      await removeFailedStart(paths);
    }
    throw error;
  }
}

async function warnOfShadows({ settings, artifacts, report }: UpOptions): Promise<void> {
  const used = [
    ...(settings.kubernetes ? (['podCidr', 'serviceCidr'] as const) : []),
    ...(settings.runtime === 'docker' ? (['dockerCidr'] as const) : []),
    'nodeSubnet' as const,
  ];
  for (const text of shadowed(settings, used, await hostNetworks(thisHost(artifacts.env))))
    report({ kind: 'warning', text });
}

/** Adds the cluster's dockerd to those that the user's docker knows; a cluster that works need not end for it. */
async function offerDocker({ settings, paths, dockerConfig, report }: UpOptions): Promise<void> {
  if (settings.runtime !== 'docker') return;
  const name = instanceName(settings.name);
  const fault = await publishContext(dockerConfig, name, paths.dockerSocket).then(
    (ours) => (ours ? undefined : 'there is another one of this name'),
    messageOf,
  );
  if (fault === undefined) return;
  report({
    kind: 'warning',
    text: `the docker context ${name} is not made: ${fault}`,
    code: 'docker-context',
    fixes: [`docker -H unix://${paths.dockerSocket}`],
  });
}

async function saveTimeline(path: string, timeline: Timeline, report: Report): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(timeline)}\n`, { durable: false }).catch((error: unknown) => {
    report({ kind: 'warning', text: `the timeline of this start cannot be kept: ${messageOf(error)}` });
  });
}

/** Certificates, images and addons, made while RootlessKit opens the namespaces. */
async function prepareCluster(
  options: UpOptions,
  artifacts: Artifacts,
  host: HostFacts,
): Promise<ClusterPlan> {
  const { settings, paths, report, signal } = options;
  if (!settings.kubernetes) return planCluster(settings, paths, artifacts, host, { addons: [] });
  const [coredns, netcheck] = [artifacts.get('coredns'), artifacts.get('netcheck')];
  if (coredns === undefined) throw new Error('the plan needs coredns');
  const [images] = await Promise.all([
    bundledImages({
      architecture: options.artifacts.arch,
      coredns: { binary: binaryOf(artifacts)('coredns'), version: coredns.version },
      ...(netcheck === undefined
        ? {}
        : { netcheck: { binary: binaryOf(artifacts)('netcheck'), version: netcheck.version } }),
      dir: paths.images,
      report,
      signal,
    }),
    step(report, 'pki', 'certificates', async (progress) => {
      const { created, renewed } = await ensureCertificates(settings, paths, report, signal);
      if (created.length > 0) progress(`${created.length} made`);
      if (renewed.length > 0) progress(`renewed: ${renewed.join(', ')}`);
    }),
  ]);
  const addons = await addonsOf(settings, paths, options.projectRoot, images.coredns.reference);
  return planCluster(settings, paths, artifacts, host, { images, addons });
}

/** Those of a worker come from its control plane, which is not asked as long as they are good. */
async function ensureCertificates(
  settings: Settings,
  { pki }: Paths,
  report: Report,
  signal: AbortSignal,
): Promise<{ created: string[]; renewed: string[] }> {
  const { controlPlane, hostIp, nodeName } = settings;
  if (controlPlane === undefined)
    return ensurePki(pki, certificateTable(certificateInput(settings)), { report });
  const table = workerCertificates(nodeName, hostIp ?? '');
  return { created: [], renewed: await renewCertificates(pki, table, controlPlane, signal) };
}

async function addonsOf(
  settings: Settings,
  { pki }: Paths,
  projectRoot: string,
  coredns: string,
): Promise<KubeObject[]> {
  if (roleOf(settings) === 'worker') return [];
  const folder = join(projectRoot, 'config/manifests');
  const values = {
    COREDNS_IMAGE: coredns,
    DNS_ADDRESS: settings.dnsAddress,
    DNS_DOMAIN: settings.dnsDomain,
    // A JSON string is a YAML one, and keeps its line breaks.
    ROOT_CA: JSON.stringify(await readFile(authorityFile(pki), 'utf8')),
    CLUSTER_FACTS: JSON.stringify(JSON.stringify(factsOf(settings))),
  };
  const forNodes = settings.hostIp === undefined ? [] : await loadAddons(join(folder, 'nodes'), values);
  return [...(await loadAddons(folder, values)), ...forNodes];
}

async function makeFolders(paths: Paths): Promise<void> {
  const folders = [paths.state, paths.runtime, paths.logs, paths.etc, paths.pki, paths.etcd, paths.images];
  for (const folder of folders) await writable(folder, () => ensureDir(folder));
  await sweep(paths);
}

/** Says in other words than the kernel's when a folder is not ours to write. */
async function writable(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
    throw new U7sError('todo', `${folder} is not a folder that this user can write: ${messageOf(error)}`, {
      fixes: [`as root: chown -R ${userInfo().username} ${folder}, or move it out of the way`],
      cause: error,
    });
  }
}

function hostFacts(
  { netfilter, faults }: NamespaceTrial,
  cgroups: HostFacts['cgroups'],
  { projectRoot, report }: UpOptions,
): Omit<HostFacts, 'dockerOptions'> {
  if (netfilter === undefined) throw new Error('the host was found ready without a packet filter');
  return {
    cgroups,
    snapshotter: chooseSnapshotter(faults, report),
    netfilter,
    uid: userInfo().uid,
    node: process.execPath,
    scripts: join(projectRoot, 'dist/entries'),
  };
}

async function within(
  timeoutMs: number,
  work: Promise<void>,
  paths: Paths,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = AbortSignal.any([signal, timeout]);
  const over = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true });
  });
  try {
    await Promise.race([work, over]);
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted) throw error;
    throw new U7sError(
      'todo',
      `the cluster was not Ready within ${timeoutMs / 1000} s: ${await missing(paths, signal)}`,
      {
        fixes: [
          `see the logs in ${paths.logs}; give it longer by --timeout, or keep it as it is by --retain`,
        ],
      },
    );
  }
}

async function missing({ controlSocket }: Paths, signal: AbortSignal): Promise<string> {
  const status = await instanceStatus(controlSocket, signal).catch(() => undefined);
  if (status === undefined || status.services.length === 0) return 'no service was started yet';
  const services = unready(status.services);
  return services.length > 0
    ? `not ready are ${services.join(', ')}`
    : 'the node or the cluster DNS is missing';
}
