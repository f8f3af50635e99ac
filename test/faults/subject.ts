import { basename, join } from 'node:path';
import type { Account } from '#src/host/account.js';
import { connect } from '#src/kube/connect.js';
import type { Paths } from '#src/settings/paths.js';
import { statusReport, type StatusReport } from '#src/instance/status.js';
import type { KubeClient } from '#src/kube/client.js';
import { processInfo } from '#src/lib/processes.js';
import { pathsOf, processesOf, u7s, type Running } from '../ordinary-user.js';
import type { StartOptions } from './fault.js';
import { until } from './until.js';

export const clusterName = 'faults';
export const apiPort = Number(process.env['U7S_API_PORT'] ?? 6641);
/** How long a cluster may take to be Ready, or to say why it is not. */
export const limitMs = 60_000;

export type NodeProcess = { pid: number; title: string; startTime: string; command: string };

/** The cluster that the faults strike, as a person at the machine can start it, look at it and reach into it. */
export type Subject = {
  account: Account;
  paths: Paths;
  u7s(args: readonly string[], options?: StartOptions): Running;
  up(options?: StartOptions): Running;
  /** Undefined when it is stopped, or does not answer. */
  status(): Promise<StatusReport | undefined>;
  processes(): Promise<NodeProcess[]>;
  /** Waits until there is a process of this title. */
  find(title: string): Promise<NodeProcess>;
  /** A client of the API with the administrator's identity; the caller closes it. */
  client(): Promise<KubeClient>;
};

export function createSubject(account: Account): Subject {
  const paths = pathsOf(account, clusterName);
  const run = (args: readonly string[], { inside }: StartOptions = {}): Running =>
    u7s(account, ['--cluster', clusterName, '--progress', 'plain', ...args], {
      inside: inside?.(subject) ?? [],
    });
  const processes = async (): Promise<NodeProcess[]> => {
    const all = await processesOf(account);
    return all.flatMap(({ pid, command, args }) => {
      const startTime = processInfo(pid)?.startTime;
      return startTime === undefined ? [] : [{ pid, title: titleOf(command, args), startTime, command }];
    });
  };
  const subject: Subject = {
    account,
    paths,
    u7s: run,
    up: ({ foreground, ...options } = {}) =>
      run(
        ['up', 'default-containerd', '--api-port', String(apiPort), ...(foreground ? [] : ['-d'])],
        options,
      ),
    status: () => statusReport({ paths, signal: AbortSignal.timeout(10_000) }, 0).catch(() => undefined),
    processes,
    find: (title) =>
      until(`there is a process ${title}`, async () =>
        (await processes()).find((process) => process.title === title),
      ),
    client: () =>
      connect({
        server: `https://127.0.0.1:${apiPort}`,
        caFile: join(paths.pki, 'ca.crt'),
        certFile: join(paths.pki, 'admin.crt'),
        keyFile: join(paths.pki, 'admin.key'),
      }),
  };
  return subject;
}

/** What a person calls the process. */
function titleOf(command: string, args: readonly string[]): string {
  const program = basename(command);
  const entry = args.map((arg) => basename(arg));
  if (program === 'node') {
    if (entry.includes('launch.js')) return 'the launcher';
    if (entry.includes('supervise.js')) return 'the supervisor';
    if (entry.includes('u7s.js')) return 'the command';
  }
  if (command === '/proc/self/exe') return "RootlessKit's child";
  return program === 'rootlesskit' ? 'RootlessKit' : program;
}
