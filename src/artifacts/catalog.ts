/* eslint-disable max-lines -- a table */
import type { Artifact, ArtifactName } from './artifact.js';

const kubernetesPrograms = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
] as const;

const cniPlugins = 'github.com/containernetworking/plugins';
const containerd = 'github.com/containerd/containerd/v2';
const fuseSnapshotter = 'github.com/containerd/fuse-overlayfs-snapshotter/v2';
const moby = 'github.com/moby/moby/v2';
const dockerCli = 'github.com/docker/cli';
const traefik = 'github.com/traefik/traefik/v3';
const gatewayApi = 'sigs.k8s.io/gateway-api';
const helm = 'helm.sh/helm/v4';
const rootlesskit = 'github.com/rootless-containers/rootlesskit/v3';

/**
 * Everything a node is made of. The versions fit together and equal those of config/artifacts.lock.json. The quick builds
 * come first, because "all" means this order.
 */
export const catalog: Readonly<Record<ArtifactName, Artifact>> = {
  rootlesskit: {
    version: '3.1.0',
    binaries: ['rootlesskit', 'rootlessctl'],
    downloads: ['rootlesskit'],
    build: {
      module: rootlesskit,
      packages: {
        rootlesskit: `${rootlesskit}/cmd/rootlesskit`,
        rootlessctl: `${rootlesskit}/cmd/rootlessctl`,
      },
    },
  },
  runc: {
    version: '1.4.3',
    binaries: ['runc'],
    downloads: ['runc'],
    build: {
      module: 'github.com/opencontainers/runc',
      packages: { runc: 'github.com/opencontainers/runc' },
      tags: ['seccomp'],
      cgo: { pkgConfig: ['libseccomp'], packages: 'gcc libc6-dev pkg-config libseccomp-dev' },
    },
  },
  'cni-plugins': {
    version: '1.9.1',
    binaries: ['bridge', 'loopback', 'host-local', 'portmap', 'firewall', 'tuning'],
    versionArgs: [],
    downloads: ['cni-plugins'],
    build: {
      module: cniPlugins,
      packages: {
        bridge: `${cniPlugins}/plugins/main/bridge`,
        loopback: `${cniPlugins}/plugins/main/loopback`,
        'host-local': `${cniPlugins}/plugins/ipam/host-local`,
        portmap: `${cniPlugins}/plugins/meta/portmap`,
        firewall: `${cniPlugins}/plugins/meta/firewall`,
        tuning: `${cniPlugins}/plugins/meta/tuning`,
      },
      variables: { [`${cniPlugins}/pkg/utils/buildversion.BuildVersion`]: 'v1.9.1' },
    },
  },
  etcd: {
    version: '3.6.14',
    binaries: ['etcd', 'etcdctl'],
    versionArgsOf: { etcdctl: ['version'] },
    downloads: ['etcd'],
    build: {
      module: 'go.etcd.io/etcd/server/v3',
      packages: { etcd: 'go.etcd.io/etcd/server/v3', etcdctl: 'go.etcd.io/etcd/etcdctl/v3' },
    },
  },
  containerd: {
    version: '2.3.4',
    binaries: ['containerd', 'containerd-shim-runc-v2', 'ctr'],
    versionArgsOf: { 'containerd-shim-runc-v2': ['-v'] },
    downloads: ['containerd-static'],
    build: {
      module: containerd,
      packages: {
        containerd: `${containerd}/cmd/containerd`,
        'containerd-shim-runc-v2': `${containerd}/cmd/containerd-shim-runc-v2`,
        ctr: `${containerd}/cmd/ctr`,
      },
      // The btrfs snapshotter needs cgo.
      tags: ['no_btrfs'],
      variables: { [`${containerd}/version.Version`]: 'v2.3.4' },
    },
  },
  coredns: {
    version: '1.14.4',
    binaries: ['coredns'],
    versionArgs: ['-version'],
    downloads: ['coredns'],
    build: {
      module: 'github.com/coredns/coredns',
      packages: { coredns: 'github.com/coredns/coredns' },
    },
  },
  slirp4netns: {
    version: '1.3.5',
    binaries: ['slirp4netns'],
    downloads: ['slirp4netns'],
    hostPackage: { apt: 'slirp4netns', dnf: 'slirp4netns' },
  },
  'fuse-overlayfs': {
    version: '1.17',
    binaries: ['fuse-overlayfs'],
    downloads: ['fuse-overlayfs'],
    hostPackage: { apt: 'fuse-overlayfs', dnf: 'fuse-overlayfs' },
  },
  'fuse-overlayfs-snapshotter': {
    version: '2.1.7',
    binaries: ['containerd-fuse-overlayfs-grpc'],
    versionArgs: [],
    downloads: ['containerd-fuse-overlayfs'],
    build: {
      module: fuseSnapshotter,
      packages: {
        'containerd-fuse-overlayfs-grpc': `${fuseSnapshotter}/cmd/containerd-fuse-overlayfs-grpc`,
      },
      variables: { [`${fuseSnapshotter}/cmd/containerd-fuse-overlayfs-grpc/version.Version`]: 'v2.1.7' },
    },
  },
  'docker-init': {
    version: '0.19.0',
    binaries: ['docker-init'],
    // The download is tini; the build is a program of ours with the same command line.
    downloads: ['docker-init'],
    build: {
      module: 'usernetes/build/docker-init',
      version: '1.0.0',
      packages: { 'docker-init': '.' },
      variables: { 'main.version': '1.0.0' },
    },
  },
  docker: {
    version: '29.8.2',
    binaries: ['dockerd', 'docker-proxy', 'docker'],
    downloads: ['docker'],
    build: {
      module: moby,
      // The module numbers this release v2.0.0-beta.24.
      version: '29.8.1',
      packages: {
        'docker-proxy': `${moby}/cmd/docker-proxy`,
        docker: `${dockerCli}/cmd/docker`,
        dockerd: `${moby}/cmd/dockerd`,
      },
      language: { [`${dockerCli}/...`]: 'go1.26' },
      variables: {
        [`${moby}/dockerversion.Version`]: '29.8.1',
        [`${dockerCli}/cli/version.Version`]: '29.8.1',
      },
    },
    hostPackage: { apt: 'docker.io', dnf: 'moby-engine docker-cli' },
    // dockerd uses RootlessKit's port API by itself since 28.
    oldestMajor: 28,
  },
  crio: {
    version: '1.36.3',
    binaries: ['crio', 'pinns'],
    versionArgsOf: { pinns: [] },
    downloads: ['crio'],
    hostPackage: { apt: 'cri-o', dnf: 'cri-o' },
  },
  conmon: {
    version: '2.2.1',
    binaries: ['conmon'],
    downloads: ['conmon'],
    hostPackage: { apt: 'conmon', dnf: 'conmon' },
  },
  skopeo: {
    version: '1.9.3',
    binaries: ['skopeo'],
    downloads: [],
    hostPackage: { apt: 'skopeo', dnf: 'skopeo' },
  },
  // Upstream's own release does not work behind slirp4netns: build/flannel/main.go says why.
  flannel: {
    version: '0.28.10',
    binaries: ['flanneld'],
    downloads: [],
    build: {
      module: 'github.com/flannel-io/flannel',
      packages: { flanneld: '.' },
    },
  },
  netcheck: {
    version: '1',
    binaries: ['netcheck'],
    downloads: [],
    build: { module: 'usernetes/build/netcheck', packages: { netcheck: '.' } },
  },
  'local-storage': {
    version: '1',
    binaries: ['local-storage'],
    downloads: [],
    build: {
      module: 'sigs.k8s.io/sig-storage-lib-external-provisioner/v13',
      version: '13.1.0',
      packages: { 'local-storage': '.' },
    },
  },
  metrics: {
    version: '1.0',
    binaries: ['metrics'],
    downloads: [],
    build: { module: 'usernetes/build/metrics', packages: { metrics: '.' } },
  },
  traefik: {
    version: '3.6.12',
    binaries: ['traefik'],
    versionArgs: ['version'],
    downloads: [],
    build: {
      module: traefik,
      packages: { traefik: `${traefik}/cmd/traefik` },
      variables: { [`${traefik}/pkg/version.Version`]: '3.6.12' },
    },
  },
  // The kinds of its standard channel that Traefik serves: one that nobody serves would be accepted and do nothing.
  'gateway-api': {
    version: '1.6.3',
    binaries: [],
    downloads: [],
    build: {
      module: gatewayApi,
      packages: {},
      documents: {
        'gateway-api.json': [
          'gatewayclasses',
          'gateways',
          'httproutes',
          'grpcroutes',
          'referencegrants',
          'backendtlspolicies',
        ].map((kind) => `config/crd/standard/gateway.networking.k8s.io_${kind}.yaml`),
      },
    },
  },
  helm: {
    version: '4.3.1',
    binaries: ['helm'],
    versionArgs: ['version'],
    downloads: [],
    build: {
      module: helm,
      packages: { helm: `${helm}/cmd/helm` },
      variables: { [`${helm}/internal/version.version`]: 'v4.3.1' },
    },
  },
  'network-policies': {
    version: '1.0',
    binaries: ['network-policies'],
    versionArgs: [],
    downloads: [],
    build: { module: 'usernetes/build/network-policies', packages: { 'network-policies': '.' } },
  },
  kubernetes: {
    version: '1.36.3',
    binaries: kubernetesPrograms,
    versionArgsOf: { kubectl: ['version', '--client'] },
    downloads: kubernetesPrograms,
    build: {
      module: 'k8s.io/kubernetes',
      packages: { kubernetes: '.' },
      links: Object.fromEntries(kubernetesPrograms.map((program) => [program, 'kubernetes'])),
      variables: { 'k8s.io/component-base/version.gitVersion': 'v1.36.3' },
    },
  },
};

export const artifactNames = Object.keys(catalog) as ArtifactName[];
