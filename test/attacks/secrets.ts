import { join } from 'node:path';
import type { Paths } from '#src/settings/paths.js';

/** What the control plane's state folder has that nobody else may see, by name. */
export const secretFiles = [
  ...[
    'ca',
    'etcd-ca',
    'front-proxy-ca',
    'sa',
    'admin',
    'kube-apiserver',
    'kube-apiserver-kubelet-client',
    'kube-apiserver-etcd-client',
    'front-proxy-client',
    'etcd-server',
    'kubelet',
    'kubelet-server',
    'kube-controller-manager',
    'kube-controller-manager-server',
    'kube-scheduler',
    'kube-scheduler-server',
    'kube-proxy',
    'port-publisher',
    'flannel',
    'node-approver',
  ].map((name) => `pki/${name}.key`),
  'pki/encryption-config.yaml',
  'admin.kubeconfig',
  'cluster.json',
  'etcd/member/snap/db',
  'logs/audit.log',
  'logs/kube-apiserver.log',
  'logs/kubelet.log',
  'logs/launcher.log',
] as const;

/** Folders in which whoever can make a file changes what the cluster does. */
export const closedFolders = (paths: Paths): Record<string, string> => ({
  'the state folder': paths.state,
  'the PKI': paths.pki,
  'the services’ configuration': paths.etc,
  'the kubelet’s folder': paths.kubelet,
  'the runtime folder': paths.runtime,
  'RootlessKit’s folder': paths.rootlesskit,
  'the binaries': paths.artifacts,
  'the launcher’s copies': paths.launchers,
  'the images': paths.images,
  'the account’s home': paths.home,
});

export const sockets = (paths: Paths): Record<string, string> => ({
  'the launcher’s control socket': paths.controlSocket,
  'RootlessKit’s API': paths.apiSocket,
});

export const inState = ({ state }: Paths, name: string): string => join(state, name);
