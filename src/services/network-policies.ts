import type { ServiceDefinition } from '../supervisor/definition.js';
import type { ServiceContext } from './context.js';
import { nodeProgram } from './node-program.js';
import { podBridge } from './pod-network.js';

/** Makes the node's packet filter keep to the cluster's NetworkPolicies: build/network-policies. */
export const networkPolicies = (context: ServiceContext): ServiceDefinition =>
  nodeProgram(context, 'network-policies', { bridge: podBridge });
