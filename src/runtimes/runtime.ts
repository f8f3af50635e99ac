import type { ArtifactName } from '../artifacts/catalog.js';
import type { RuntimeProgram } from '../host/packages.js';
import type { ImageStore } from '../images/image-store.js';
import type { ServiceDefinition } from '../supervisor/definition.js';
import type { ServiceContext } from '../services/context.js';
import type { KubeletRuntime } from '../services/kubelet.js';

/**
 * What a container runtime brings to a node; all else of a node is the same with each. A description, without any I/O:
 * how it is found in a plan, in a running cluster and in a test.
 */
export type Runtime = KubeletRuntime & {
  /** Beside those of every node. */
  artifacts: readonly ArtifactName[];
  /** What of them init-host installs beforehand, since distributions have it and upstream may not. */
  hostPrograms?: readonly RuntimeProgram[];
  /** Its place in the namespaces. */
  namespaces: RuntimeNamespaces;
  services: (context: ServiceContext) => ServiceDefinition[];
  /** It serves docker's API on the host, and publishes the ports of its containers at RootlessKit by itself. */
  servesDocker?: true;
  /** How images get in, and are listed; `binary` finds a program of the runtime's artifacts. */
  images: (binary: (name: string) => string) => ImageStore;
};

export type RuntimeNamespaces = {
  /** Links to the host's own folders that copy-up leaves, and that the runtime must not follow. */
  remove: readonly string[];
  /** Path inside → folder of the cluster's state that is put there. */
  binds: Readonly<Record<string, string>>;
  /** Path inside → what of the user's settings is found there. */
  links?: Readonly<Record<string, string>>;
};
