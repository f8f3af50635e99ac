import { join } from 'node:path';
import type { InstanceStatus } from '../../launcher/status.js';
import { instanceName } from '../../settings/paths.js';

export type Summary = {
  cluster: string;
  status: Pick<InstanceStatus, 'role' | 'nodeName' | 'apiServer'>;
  dockerSocket?: string | undefined;
  /** `is ready after 8.2s`, `is already running`. */
  state: string;
  /** A command about this instance, as the person who reads this types it. */
  typed: (args: readonly string[]) => string;
  /** Folder of the checkout as that person writes it, if there is one. */
  checkout: string | undefined;
  /** How a kubectl of the host, if there is one, finds the cluster. */
  hostKubectl?: 'context' | 'kubeconfig' | undefined;
  foreground: boolean;
};

/** What a person wants to know once the cluster is Ready: node, API, and what to type next, word for word. */
export function readySummary(summary: Summary): string {
  const { cluster, status, dockerSocket, state, typed, checkout, hostKubectl, foreground } = summary;
  const host = {
    context: `kubectl --context ${instanceName(cluster)} get pods -A`,
    kubeconfig: `kubectl --kubeconfig ${join(checkout ?? '', 'config/localhost.kubeconfig')} get pods -A`,
  };
  const worker = status.role === 'worker';
  const [down, remove] = [typed(['down']), typed([worker ? 'leave' : 'cleanup'])];
  const width = Math.max(down.length, remove.length);
  const next = [
    ...(status.apiServer === undefined || worker
      ? []
      : [
          typed(['kubectl', 'get', 'nodes', '-o', 'wide']),
          ...(hostKubectl === undefined ? [] : [host[hostKubectl]]),
        ]),
    ...(dockerSocket === undefined ? [] : [typed(['docker', 'info'])]),
    ...(foreground ? [] : [`${down.padEnd(width)}   stops it; its data stays`]),
    `${remove.padEnd(foreground ? 0 : width)}   ${worker ? 'takes it out of its cluster,' : 'removes it'} with its data`,
  ];
  const facts = Object.entries({
    node: status.nodeName,
    API: status.apiServer,
    docker: dockerSocket && `unix://${dockerSocket}`,
  }).filter(([, text]) => text !== undefined);
  const title = Math.max(...facts.map(([name]) => name.length));
  return `
cluster ${cluster} ${state}
${facts.map(([name, text]) => `  ${name.padEnd(title)}  ${text}\n`).join('')}
${next.map((line) => `  ${line}\n`).join('')}${foreground ? '\nCtrl-C stops it; its data stays.\n' : ''}`;
}
