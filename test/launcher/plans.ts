import { join } from 'node:path';
import type { RegistriesPlan } from '#src/images/registries/keep.js';
import type { InstancePlan, KubernetesPlan, NamespacePlan } from '#src/plan/types.js';
import { daemon } from '../supervisor/harness.js';

/** A plan whose files are all in `dir`. */
export function namespacePlan(
  dir: string,
  rootlesskit: Pick<NamespacePlan['rootlesskit'], 'command' | 'args'> = { command: '/bin/false', args: [] },
): NamespacePlan {
  return {
    cluster: 'test',
    preset: 'default-containerd',
    rootlesskit: { ...rootlesskit, env: { PATH: '/usr/bin:/bin' }, cwd: process.cwd() },
    setup: {
      view: { hidden: [], readOnly: [] },
      hostPaths: [],
      remove: [],
      binds: [],
      tmpfs: [],
      links: {},
      sysctls: {},
      addresses: [],
      prohibited: [],
      hosts: [],
      doors: [],
      dns: { address: '10.0.2.3', folder: join(dir, 'dns') },
      commands: [],
    },
    hostAccess: [],
    logs: join(dir, 'logs'),
    readyFile: join(dir, 'ready'),
    runtimeDir: dir,
    rootlesskitDir: join(dir, 'rootlesskit'),
    controlSocket: join(dir, 'control.sock'),
    lock: join(dir, 'lock'),
    cgroups: 'none',
    ports: {
      apiSocket: join(dir, 'rootlesskit/api.sock'),
      record: join(dir, 'ports.json'),
      builtIn: [],
      config: [],
      runtimePublishes: false,
    },
  };
}

const registries: RegistriesPlan = {
  sources: { described: {}, files: [], logins: [], certificates: [] },
  folder: '/nonexistent',
  program: { node: '/usr/bin/node', script: '/nonexistent' },
};

const nowhere = { caFile: '/nonexistent', certFile: '/nonexistent', keyFile: '/nonexistent' };

export const kubernetesPlan: KubernetesPlan = {
  role: 'control-plane',
  nodeName: 'node1',
  nodeLabels: {},
  addons: { first: [], later: [] },
  networkPolicies: 'enforced',
  api: { server: 'https://127.0.0.1:6443', ...nowhere },
};

/** With Kubernetes it has an API server, without a single service. */
export function clusterPlan(kubernetes?: KubernetesPlan): InstancePlan {
  if (kubernetes === undefined) return { services: [daemon('containerd')], registries };
  return {
    services: [daemon('etcd'), daemon('kube-apiserver', { dependsOn: { etcd: 'ready' } })],
    registries,
    kubernetes,
  };
}
