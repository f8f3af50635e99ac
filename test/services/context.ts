import type { ServiceContext } from '#src/services/context.js';

/** A node as the snapshots describe it. */
export const context: ServiceContext = {
  role: 'control-plane',
  nodeName: 'u7s-host',
  nodeAddress: '10.0.2.100',
  apiServer: 'https://127.0.0.1:6443',
  ports: { api: 6443, kubelet: 10250, etcd: 2379 },
  podCidr: '10.88.0.0/16',
  serviceCidr: '10.0.0.0/24',
  dnsAddress: '10.0.0.53',
  dnsDomain: 'cluster.local',
  mtu: 65520,
  cgroups: 'none',
  snapshotter: 'overlayfs',
  netfilter: { backend: 'iptables', legacyFolder: '/usr/sbin' },
  pauseImage: 'localhost/pause:1',
  images: [{ reference: 'localhost/pause:1', archive: '/state/images/pause.tar', digest: 'sha256:1' }],
  binary: (name) => `/artifacts/${name}`,
  pki: '/state/pki',
  etc: '/state/etc',
  runtimeConfig: '/home/user/.config/usernetes',
  etcdData: '/state/etcd',
  kubernetes: true,
  docker: {
    socket: '/run/user/1001/docker.sock',
    cidr: '10.89.0.0/16',
    publishAddress: '127.0.0.1',
    options: {},
    user: { uid: 1001, home: '/home/user' },
    rootlesskitDir: '/run/user/1001/usernetes/rootlesskit',
    takeBackPorts: {
      command: '/usr/bin/node',
      args: ['/u7s/take-back-ports.js', '/run/user/1001/usernetes/control.sock'],
    },
  },
};
