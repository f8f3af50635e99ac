export type ArtifactName =
  | 'kubernetes'
  | 'etcd'
  | 'containerd'
  | 'docker'
  | 'docker-init'
  | 'rootlesskit'
  | 'runc'
  | 'cni-plugins'
  | 'coredns'
  | 'flannel'
  | 'netcheck'
  | 'local-storage'
  | 'metrics'
  | 'traefik'
  | 'helm'
  | 'gateway-api'
  | 'network-policies'
  | 'slirp4netns'
  | 'fuse-overlayfs'
  | 'crio'
  | 'conmon'
  | 'skopeo'
  | 'fuse-overlayfs-snapshotter';

/** Where an artifact may come from. */
export type Way = 'download' | 'build' | 'host';
/** `given`: by `--artifact`, used where it lies. */
export type Origin = Way | 'given';
export const ways: readonly Way[] = ['download', 'build', 'host'];

export type Artifact = {
  version: string;
  binaries: readonly string[];
  /** Its entries in config/artifacts.lock.json; none where upstream releases no binaries. */
  downloads: readonly string[];
  /** Missing where upstream is not a public Go module. */
  build?: BuildRecipe;
  /** Arguments that make its first program print its version; `--version` by default. */
  versionArgs?: readonly string[];
  /** Those of its other programs, where they differ. */
  versionArgsOf?: Readonly<Record<string, readonly string[]>>;
  /** The package that contains it, in Debian and in Fedora. */
  hostPackage?: { apt: string; dnf: string };
  /** The oldest major version that works, where the host's own is used. */
  oldestMajor?: number;
};

/** How `go build` makes it, in build/<name>, which pins the module and its dependencies. */
export type BuildRecipe = {
  /** What patches/<name>/<version> applies to. */
  module: string;
  /** Where the module has no release of the artifact's version: the nearest one. */
  version?: string;
  /** Executable → package. */
  packages: Readonly<Record<string, string>>;
  /** Executables that are further names of another one, which looks at argv[0]. */
  links?: Readonly<Record<string, string>>;
  tags?: readonly string[];
  /** Packages → the version of Go that they are written in, where their module has no go.mod to say so. */
  language?: Readonly<Record<string, string>>;
  /** Variables set at link time, such as the version where upstream's source lacks it. */
  variables?: Readonly<Record<string, string>>;
  /** File → documents of the module in YAML, which become one list in JSON. */
  documents?: Readonly<Record<string, readonly string[]>>;
  /** Needs a C compiler and these pkg-config modules. */
  cgo?: { pkgConfig: readonly string[]; packages: string };
};

/** An artifact's program, or the folder of its programs. */
export type GivenPaths = Partial<Record<ArtifactName, string>>;
