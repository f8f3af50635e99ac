import { join } from 'node:path';
import { defaultCluster, instanceName } from '../../settings/paths.js';
import type { InstanceStatus } from '../../launcher/status.js';

export type Summary = {
  cluster: string;
  status: Pick<InstanceStatus, 'role' | 'nodeName' | 'apiServer'>;
  dockerSocket?: string | undefined;
  /** `is ready after 8.2s`, `is running already`. */
  state: string;
  /** Folder of the wrappers, as the person who reads this has to write it; without one u7s is on the PATH. */
  checkout: string | undefined;
  /** How a kubectl of the host, if there is one, finds the cluster. */
  hostKubectl?: 'context' | 'kubeconfig' | undefined;
  foreground: boolean;
};

const wrappedVerbs = {
  'bin/u7s.js': '',
  'kubectl.sh': ' kubectl',
  'dockercli.sh': ' docker',
  'cleanup.sh': ' cleanup',
} as const;

/** What a person wants to know once the cluster is there: node, API, and what to type next, word for word. */
export function readySummary(summary: Summary): string {
  const { cluster, status, dockerSocket, state, checkout, hostKubectl, foreground } = summary;
  const option = cluster === defaultCluster ? '' : ` --cluster ${cluster}`;
  const wrapper = (name: keyof typeof wrappedVerbs): string => {
    if (checkout === undefined) return `u7s${option}${wrappedVerbs[name]}`;
    return `${checkout === '.' ? `./${name}` : join(checkout, name)}${option}`;
  };
  const host = {
    context: `kubectl --context ${instanceName(cluster)} get pods -A`,
    kubeconfig: `kubectl --kubeconfig ${join(checkout ?? '', 'config/localhost.kubeconfig')} get pods -A`,
  };
  const worker = status.role === 'worker';
  const [down, cleanup] = [
    `${wrapper('bin/u7s.js')} down`,
    worker ? `${wrapper('bin/u7s.js')} leave` : wrapper('cleanup.sh'),
  ];
  const width = Math.max(down.length, cleanup.length);
  const next = [
    ...(status.apiServer === undefined || worker
      ? []
      : [
          `${wrapper('kubectl.sh')} get nodes -o wide`,
          ...(hostKubectl === undefined ? [] : [host[hostKubectl]]),
        ]),
    ...(dockerSocket === undefined ? [] : [`${wrapper('dockercli.sh')} info`]),
    ...(foreground ? [] : [`${down.padEnd(width)}   stops it; its data stays`]),
    `${cleanup.padEnd(foreground ? 0 : width)}   ${worker ? 'takes it out of its cluster,' : 'removes it'} with its data`,
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
