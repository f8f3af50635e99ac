import type { ServiceDefinition } from '../supervisor/definition.js';
import { volumesFolder } from '../rootless/child.js';
import type { ServiceContext } from './context.js';
import { nodeProgram } from './node-program.js';

/** Makes and removes the volumes of this node: build/local-storage. */
export const localStorage = (context: ServiceContext): ServiceDefinition =>
  nodeProgram(context, 'local-storage', { folder: volumesFolder });
