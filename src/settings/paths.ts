import { dirname, join, resolve } from 'node:path';
import type { UserDirs } from '../host/user-dirs.js';

/** Where everything of one user and one instance is stored. */
export type Paths = {
  /** Of the user, shared by all instances. */
  home: string;
  configHome: string;
  dataHome: string;
  /** What the user sets for all container runtimes of theirs; nothing of ours is in it. */
  runtimeConfig: string;
  /** Folders of manifests that are applied: to all clusters of the user, and to this one. */
  manifests: string[];
  artifacts: string;
  launchers: string;
  goCache: string;
  /** registries.yaml of all instances of the user, and of this one. */
  registryFiles: [ofUser: string, ofInstance: string];
  /** What `registry login` keeps. */
  registryLogins: string;
  /** Archives of images made from the artifacts. */
  images: string;

  /** Of the instance, kept until cleanup or reset. */
  state: string;
  pki: string;
  etc: string;
  logs: string;
  etcd: string;
  kubelet: string;
  cni: string;
  /** What runtimes read of registries. */
  registries: string;
  /** Of PersistentVolumes. */
  volumes: string;
  /** What pods keep below /opt, /var/lib and the like. */
  hostPaths: string;
  /** Becomes /var/log inside: the logs of pods. */
  podLogs: string;
  adminKubeconfig: string;
  /** What the instance is, for as long as it has data: see remembered.ts. */
  remembered: string;
  /** How the last start went. */
  timeline: string;
  /** What was published by hand. */
  ports: string;

  /** Of the running instance, gone when it stops. */
  runtime: string;
  rootlesskit: string;
  childPid: string;
  apiSocket: string;
  ready: string;
  controlSocket: string;
  /** Sockets by which the node asks the host's nameservers. */
  dns: string;
  lock: string;
  /** Of an engine, seen by the host and by the node: its socket, and one at which the launcher takes ports back. */
  engine: string;
  engineSocket: string;
  takeBackSocket: string;
  /** Leads to the engine's socket: for the default instance, from where the user's programs look for it. */
  dockerSocket: string;
  /** Held by the command that starts the instance, until it is Ready. */
  startLock: string;
};

export const defaultCluster = 'default';

/** Names of instances and nodes: valid in DNS, short enough for the paths of sockets. */
export const namePattern = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** `usernetes` for the default instance, `usernetes-<name>` for others: folder, kubeconfig context, cluster and user. */
export function instanceName(cluster: string): string {
  return cluster === defaultCluster ? 'usernetes' : `usernetes-${cluster}`;
}

export function clusterPaths(user: UserDirs, cluster: string): Paths {
  const data = join(user.dataHome, 'usernetes');
  const state = join(user.stateHome, 'usernetes', cluster);
  const runtime = join(user.runtimeDir, instanceName(cluster));
  const rootlesskit = join(runtime, 'rootlesskit');
  const engine = join(runtime, 'engine');
  const config = join(user.configHome, 'usernetes');
  const manifests = join(config, 'manifests');
  return {
    home: user.home,
    configHome: user.configHome,
    dataHome: data,
    artifacts: join(data, 'artifacts'),
    launchers: join(data, 'launcher'),
    runtimeConfig: config,
    manifests: [manifests, join(manifests, cluster)],
    registryFiles: [join(config, 'registries.yaml'), join(config, 'clusters', cluster, 'registries.yaml')],
    registryLogins: join(config, 'registry-logins.json'),
    goCache: join(user.cacheHome, 'usernetes', 'go'),
    images: join(data, 'images'),
    state,
    pki: join(state, 'pki'),
    etc: join(state, 'etc'),
    logs: join(state, 'logs'),
    etcd: join(state, 'etcd'),
    kubelet: join(state, 'kubelet'),
    cni: join(state, 'cni'),
    registries: join(state, 'registries'),
    volumes: join(state, 'volumes'),
    hostPaths: join(state, 'host-paths'),
    podLogs: join(state, 'pod-logs'),
    adminKubeconfig: join(state, 'admin.kubeconfig'),
    remembered: join(state, 'cluster.json'),
    timeline: join(state, 'timeline.json'),
    ports: join(state, 'ports.json'),
    runtime,
    rootlesskit,
    childPid: join(rootlesskit, 'child_pid'),
    apiSocket: join(rootlesskit, 'api.sock'),
    ready: join(runtime, 'ready'),
    controlSocket: join(runtime, 'control.sock'),
    dns: join(runtime, 'dns'),
    lock: join(runtime, 'lock'),
    engine,
    engineSocket: join(engine, 'docker.sock'),
    takeBackSocket: join(engine, 'launcher.sock'),
    dockerSocket: join(cluster === defaultCluster ? user.runtimeDir : runtime, 'docker.sock'),
    startLock: join(runtime, 'start.lock'),
  };
}

/** The launcher's socket, if the RootlessKit with this API socket belongs to an instance of ours. */
export function controlSocketBeside(apiSocket: string): string {
  return join(dirname(dirname(resolve(apiSocket))), 'control.sock');
}
