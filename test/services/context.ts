import { registryFiles } from '#src/images/registries/render.js';
import type { RuntimeContext } from '#src/runtimes/runtime.js';
import { parseSettings, type SettingsInput } from '#src/settings/schema.js';

/** A node as the snapshots describe it. */
export const context: RuntimeContext = {
  settings: parseSettings({ nodeName: 'u7s-host' }),
  role: 'control-plane',
  nodeAddress: '10.0.2.100',
  apiServer: 'https://127.0.0.1:6443',
  cgroups: 'none',
  snapshotter: 'overlayfs',
  netfilter: { backend: 'iptables', legacyFolder: '/usr/sbin' },
  pauseImage: 'localhost/pause:1',
  images: [{ reference: 'localhost/pause:1', archive: '/state/images/pause.tar', digest: 'sha256:1' }],
  binary: (name) => `/artifacts/${name}`,
  pki: '/state/pki',
  etc: '/state/etc',
  runtimeConfig: '/home/user/.config/usernetes',
  registries: registryFiles('/state/registries'),
  credentialPrograms: '/usr/bin',
  etcdData: '/state/etcd',
  logs: '/state/logs',
  engineSocket: '/run/user/1001/docker.sock',
  engineOptions: {},
  engineCidr: '10.89.0.0/16',
  publishAddress: '127.0.0.1',
  user: { uid: 1001, home: '/home/user' },
  rootlesskitDir: '/run/user/1001/usernetes/rootlesskit',
  takeBackPorts: {
    command: '/usr/bin/node',
    args: ['/u7s/take-back-ports.js', '/run/user/1001/usernetes/control.sock'],
  },
};

/** The same node with other settings. */
export const contextWith = (input: SettingsInput): RuntimeContext => ({
  ...context,
  settings: parseSettings({ nodeName: 'u7s-host', ...input }),
});
