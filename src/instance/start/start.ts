import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { detectCgroups } from '../../host/cgroup.js';
import type { NamespaceTrial } from '../../host/namespace-trial.js';
import { checkSocketPath } from '../../host/user-dirs.js';
import { writeFileAtomic } from '../../lib/atomic-file.js';
import { U7sError, messageOf } from '../../lib/errors.js';
import type { Report } from '../../lib/events.js';
import { u7s } from '../../lib/fixes.js';
import { withLock } from '../../lib/lock-file.js';
import { instanceStatus, stopInstance } from '../../launcher/client.js';
import { startLauncherProcess, type LauncherHandle } from '../../launcher/handle.js';
import type { InstanceStatus } from '../../launcher/status.js';
import type { Artifacts } from '../../plan/artifacts.js';
import { planRegistries } from '../../plan/registries.js';
import { planNamespaces } from '../../plan/namespaces.js';
import type { HostFacts } from '../../plan/types.js';
import { artifactsOfSnapshotter } from '../../plan/snapshotter.js';
import { refuseChange } from '../../settings/fixed.js';
import { forgetTried, readRemembered, remember } from '../../settings/remembered.js';
import type { Settings } from '../../settings/schema.js';
import type { ServiceDefinition } from '../../supervisor/definition.js';
import type { InstanceContext } from '../context.js';
import { removeFailedStart } from '../removal.js';
import { createTimelineRecorder, type Timeline, type TimelineRecorder } from '../timeline/recorder.js';
import { makeFolders, makeRuntimeFolder } from './folders.js';
import { hostFacts, warnOfShadows } from './host.js';
import { noteSettings } from './note-settings.js';
import { within } from './limit.js';
import { offerEngine, offerKubeconfig } from './offer.js';
import { prepareCluster } from './prepare.js';
import { checkRegistries, writeRegistries } from './registries.js';
import { ensurePrograms } from './programs.js';

export type StartRequest = {
  settings: Settings;
  /** Refuses, with cause and fix, a host that cannot run the node; says what works on one that can. */
  checkHost: () => Promise<NamespaceTrial>;
  /** Milliseconds until a cluster that is not Ready counts as failed. */
  timeoutMs: number;
  /** Leave a cluster that failed to start as it is, for examination. */
  retain: boolean;
};

export type StartResult =
  | { state: 'already-running'; status: InstanceStatus }
  /** The launcher runs the cluster; the caller detaches it or waits for its end. */
  | { state: 'ready'; status: InstanceStatus; launcher: LauncherHandle; inKubeconfig: boolean };

/**
 * Makes the instance run and waits until it is Ready. What fails before then is stopped and cleaned up. Of several that
 * are started at once one does it; the others wait for it and find the cluster running.
 */
export async function start(context: InstanceContext, request: StartRequest): Promise<StartResult> {
  const { paths, signal, report } = context;
  checkSocketPath(paths.apiSocket);
  await makeRuntimeFolder(paths);
  const onWait = (pid: number): void =>
    report({ kind: 'note', text: `process ${pid} is already starting this cluster: waiting for it` });
  try {
    return await withLock(paths.startLock, signal, onWait, async () => {
      refuseChange(request.settings, await readRemembered(paths.remembered));
      const running = await present(context);
      return running === undefined
        ? startStopped(context, request)
        : { state: 'already-running', status: running };
    });
  } finally {
    // Nothing of a start that failed is left, not even an empty folder.
    await rmdir(paths.runtime).catch(() => undefined);
  }
}

/** The cluster that runs already, if it does; one that is just being stopped is waited for. */
async function present({
  name,
  paths,
  signal,
  report,
}: InstanceContext): Promise<InstanceStatus | undefined> {
  const status = await instanceStatus(paths.controlSocket, signal);
  switch (status?.phase) {
    case 'stopping':
      report({ kind: 'note', text: `cluster ${name} is being stopped: waiting for that` });
      await stopInstance(paths.controlSocket, signal);
      return undefined;
    case 'starting':
      throw new U7sError('retained', `cluster ${name} has failed to start and was kept for examination`, {
        fixes: [u7s(['down'], { text: 'stop it' })],
      });
    default:
      return status;
  }
}

async function startStopped(given: InstanceContext, request: StartRequest): Promise<StartResult> {
  const timeline = createTimelineRecorder(given.report);
  const context = { ...given, report: timeline.report };
  const { settings } = request;
  const { paths, report } = context;
  const trial = await timeline.time('host', 'host checks', request.checkHost);
  const cgroups = await detectCgroups(context.env);
  await warnOfShadows(context, settings);
  noteSettings(settings, report);
  if (cgroups.mode === 'none') report({ kind: 'note', text: cgroups.reason, fixes: cgroups.fixes });
  const host = await hostFacts(context, settings, trial, cgroups.mode);
  const registries = planRegistries(settings, paths, host);
  const checked = await checkRegistries(registries, report);
  const ofSnapshotter = artifactsOfSnapshotter(host.snapshotter, settings.runtime);
  const { artifacts, lacking, lackingAddons } = await timeline.time('artifacts', 'binaries', () =>
    ensurePrograms(context, settings, ofSnapshotter),
  );
  await makeFolders(paths);
  await writeRegistries(registries, checked);
  const before = await readRemembered(paths.remembered);
  await remember(paths.remembered, settings);
  const launcher = await startLauncher(context, cgroups.enter);
  try {
    const possible = {
      ...settings,
      without: [...settings.without, ...lacking],
      addons: settings.addons.filter((name) => !lackingAddons.includes(name)),
    };
    return await bringUp(context, { ...request, settings: possible }, launcher, artifacts, host, timeline);
  } catch (error) {
    if (request.retain && !context.signal.aborted) {
      launcher.detach();
    } else {
      launcher.send({ type: 'stop' });
      await launcher.ended;
      await removeFailedStart(paths);
      await forgetTried(paths.remembered, before, settings);
    }
    throw error;
  }
}

function startLauncher(
  { env, entries, paths, report }: InstanceContext,
  enter: readonly string[],
): Promise<LauncherHandle> {
  return startLauncherProcess({
    enter,
    script: entries.launch,
    logs: paths.logs,
    cwd: paths.state,
    env: { PATH: env['PATH'] ?? '', HOME: paths.home, XDG_RUNTIME_DIR: dirname(paths.runtime) },
    report,
  });
}

/** Tells the launcher what to open and, once that is prepared, what to run in it; waits until it is Ready. */
async function bringUp(
  context: InstanceContext,
  { settings, retain, timeoutMs }: StartRequest,
  launcher: LauncherHandle,
  artifacts: Artifacts,
  host: HostFacts,
  timeline: TimelineRecorder,
): Promise<StartResult> {
  const { name, paths, report, signal } = context;
  const supervise = [host.node, context.entries.supervise];
  launcher.send({ type: 'open', plan: planNamespaces(settings, paths, artifacts, host, supervise), retain });
  let services: ServiceDefinition[] = [];
  const run = async (): Promise<void> => {
    const plan = await prepareCluster(context, settings, artifacts, host);
    ({ services } = plan);
    launcher.send({ type: 'run', plan });
    await launcher.ready;
  };
  await within(timeoutMs, Promise.race([run(), launcher.ready]), context);
  await saveTimeline(paths.timeline, timeline.finish(name, services), report);
  const inKubeconfig = await offerKubeconfig(context, settings);
  await offerEngine(context, settings);
  const status = await instanceStatus(paths.controlSocket, signal);
  if (status === undefined) {
    throw new U7sError('ended-early', `cluster ${name} ended as soon as it was Ready`, {
      fixes: [u7s(['logs'], { text: 'read its logs' })],
    });
  }
  return { state: 'ready', status, launcher, inKubeconfig };
}

async function saveTimeline(path: string, timeline: Timeline, report: Report): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(timeline)}\n`, { durable: false }).catch((error: unknown) => {
    report({
      kind: 'warning',
      text: `the timeline of this start cannot be kept: ${messageOf(error)}`,
      code: 'timeline-not-kept',
    });
  });
}
