import type { ArtifactName } from '../artifacts/artifact.js';
import type { RuntimeProgram } from '../host/packages.js';
import type { ImageStore } from '../images/image-store.js';
import type { RegistryFiles } from '../images/registries/render.js';
import type { ServiceContext, Snapshotter } from '../services/context.js';
import type { KubeletRuntime } from '../services/kubelet.js';
import type { MetricsRuntime } from '../services/metrics.js';
import type { CidrField } from '../settings/networks.js';
import type { ServiceDefinition } from '../supervisor/definition.js';

/**
 * Everything that a container runtime brings to a node; all else of a node is the same with each. Another runtime is one
 * file with such a description, its line in table.ts and its name in settings/runtime-names.ts.
 */
export type Runtime = KubeletRuntime &
  MetricsRuntime & {
    /** In addition to those of every node. */
    artifacts: readonly ArtifactName[];
    /** Further ones that it takes to stack the layers of images in that way. */
    artifactsOfSnapshotter: Partial<Record<Snapshotter, readonly ArtifactName[]>>;
    /** Which of its artifacts init-host installs beforehand, since distributions have them and upstream may not. */
    hostPrograms?: readonly RuntimeProgram[];
    /** Its place in the namespaces. */
    namespaces: RuntimeNamespaces;
    services: (context: RuntimeContext) => ServiceDefinition[];
    /** How images get in, and are listed; `binary` finds a program of the runtime's artifacts. */
    images: (binary: (name: string) => string) => ImageStore;
    /** Missing for a runtime that serves the kubelet alone. */
    engine?: Engine;
  };

/**
 * A container engine for the user's own programs: it serves Docker's API on a socket of the host, and publishes the ports of
 * its containers at RootlessKit by itself.
 */
export type Engine = {
  /** Where programs in the node look for its socket, on their own. */
  usualSocket: string;
  /** By which the user's programs find it at its socket. */
  clientEnv: (socket: string) => Record<string, string>;
  /** The networks of the settings that its containers are in. */
  networks: readonly CidrField[];
  /** Reads what the user sets for it in the folder of what users set for runtimes. */
  readOptions: (folder: string) => Promise<EngineOptions>;
};

/** In the words of the engine's own configuration file. */
export type EngineOptions = Readonly<Record<string, unknown>>;

/** What the services of a runtime are made from. */
export type RuntimeContext = ServiceContext & {
  /** Where an engine serves its API. */
  engineSocket: string;
  /** What `readOptions` has found. */
  engineOptions: EngineOptions;
  /** The range of networks for an engine's containers, which are not pods. */
  engineCidr: string;
  /** Address of the host on which ports are published unless another one is named. */
  publishAddress: string;
  /** Who runs the instance, by the host's uid. */
  user: { uid: number; home: string };
  /** State of RootlessKit, through whose API an engine publishes ports. */
  rootlesskitDir: string;
  /** Frees the ports that an engine has left published when it died. */
  takeBackPorts: { command: string; args: string[] };
};

export type RuntimeNamespaces = {
  /** Links to the host's own folders that copy-up leaves, and that the runtime must not follow. */
  remove: readonly string[];
  /** Path inside → folder of the cluster's state that is put there. */
  binds: Readonly<Record<string, string>>;
  /** Path inside → what of the user's settings is found there. */
  links?: Readonly<Record<string, string>>;
  /** Path inside → what of the registries is found there. */
  registryLinks?: Readonly<Record<string, keyof RegistryFiles>>;
};
