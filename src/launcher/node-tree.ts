import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { enterCgroup, freshNodeCgroup } from '../rootless/node-cgroup.js';
import { serveDnsOnHost, type HostDns } from '../rootless/dns/on-host.js';
import { openOnHost } from '../rootless/doors.js';
import { logPath, openLog } from '../supervisor/log-file.js';
import { messageWriter, readMessages } from '../supervisor/ndjson.js';
import type { NamespacePlan } from '../plan/types.js';
import { isSupervisorReport, type SupervisorCommand, type SupervisorReport } from './supervisor-protocol.js';
import { untilGone } from '../lib/processes.js';
import { vitalProcesses, watchVital, type VitalProcesses } from './tree-watch.js';

/** RootlessKit and everything below it: lives and dies as one. */
export type NodeTree = {
  send(command: SupervisorCommand): void;
  /**
   * Settles when RootlessKit has ended and with it every process in its namespaces; says why. When one of the processes
   * that the node cannot do without has ended or hangs, RootlessKit is killed.
   */
  ended: Promise<string>;
  /** SIGKILL, when asking did not help. */
  kill(): void;
};

/**
 * Starts RootlessKit with our supervisor inside. `onReport` hears what the supervisor reports; `onNoise` each line of
 * their stdout that is no report.
 */
export async function startNodeTree(
  plan: NamespacePlan,
  onReport: (report: SupervisorReport) => void,
  onNoise: (line: string) => void = () => undefined,
): Promise<NodeTree> {
  // RootlessKit refuses a state folder that another instance left behind.
  await Promise.all(
    [plan.rootlesskitDir, plan.readyFile].map((path) => rm(path, { recursive: true, force: true })),
  );
  await shareWithEngine(plan.engine);
  const { command, args, cwd, env } = plan.rootlesskit;
  const enter =
    plan.cgroups === 'delegated' ? enterCgroup(await freshNodeCgroup(`node-${plan.cluster}`)) : [];
  const close = await openOnHost(plan.setup.doors);
  const dns = await serveDnsOnHost(plan.setup.dns.folder);
  const log = await openLog(logPath(plan.logs, 'rootlesskit'));
  try {
    // Whatever becomes of the launcher, the tree must not outlive it.
    const child = spawn('setpriv', ['--pdeathsig=KILL', '--', ...enter, command, ...args], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', log.fd],
      detached: true,
    });
    const tree = treeOf(child, plan, onReport, onNoise);
    followSearch(dns, tree);
    void tree.ended.then(() => Promise.all([close(), dns.close()]));
    return tree;
  } finally {
    await log.close();
  }
}

/** Short names are completed in the node as on the host. */
function followSearch({ resolver, onSearch }: HostDns, tree: NodeTree): void {
  const tell = (domains: readonly string[]): void => tree.send({ type: 'search', domains });
  tell(resolver().search);
  onSearch(tell);
}

/** Both must be there before the namespaces are, which show nothing that comes later beside them. */
async function shareWithEngine(engine: NamespacePlan['engine']): Promise<void> {
  if (engine === undefined) return;
  await mkdir(engine.folder, { recursive: true, mode: 0o700 });
  await rm(engine.link, { force: true });
  await symlink(engine.socket, engine.link);
}

/** At once, without waiting for anything: a RootlessKit that ends as soon as it starts must be heard. */
function treeOf(
  child: ChildProcess,
  plan: NamespacePlan,
  onReport: (report: SupervisorReport) => void,
  onNoise: (line: string) => void,
): NodeTree {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the pipes to RootlessKit are missing');

  const kill = (): void => void child.kill('SIGKILL');
  let vital: VitalProcesses = [];
  let loss: string | undefined;
  let endWatch: (() => void) | undefined;
  const lose = (why: string): void => {
    loss = why;
    kill();
  };
  const hear = async (): Promise<void> => {
    for await (const report of readMessages(stdout, isSupervisorReport, onNoise)) {
      if (report.type === 'prepared' && child.pid !== undefined) {
        // By us, since the namespaces do not show it.
        writeFileSync(plan.readyFile, '', { mode: 0o600 });
        vital = vitalProcesses(child.pid);
        endWatch = watchVital(vital, [plan.controlSocket, plan.rootlesskitDir, plan.readyFile], lose);
      }
      if (report.type === 'stopped') endWatch?.();
      onReport(report);
    }
    // A line without an end: nothing more can be read, so that the node would go on unheard.
    if (!stdout.readableEnded) lose('its reports cannot be read');
  };
  void hear();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.once('close', (code, signal) => {
      endWatch?.();
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      void untilGone(vital).then(() => resolve(loss ?? `RootlessKit ended: ${how}`));
    });
  });
  // A tree that dies closes the pipe, which `ended` reports.
  const send = messageWriter<SupervisorCommand>(stdin);
  send({ type: 'prepare', setup: plan.setup, logs: plan.logs });
  return { send, ended, kill };
}
