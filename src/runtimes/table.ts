import type { RuntimeName } from '../settings/runtime-names.js';
import { containerdRuntime } from './containerd.js';
import { crioRuntime } from './crio.js';
import { dockerRuntime } from './docker.js';
import type { Runtime } from './runtime.js';

export const runtimes: Readonly<Record<RuntimeName, Runtime>> = {
  containerd: containerdRuntime,
  docker: dockerRuntime,
  crio: crioRuntime,
};
