import { setMaxListeners } from 'node:events';
import { keepRegistries, type RegistriesPlan } from '../images/registries/keep.js';
import type { Report } from '../lib/events.js';
import type { NodeTree } from './node-tree.js';

/** Follows what the user sets for registries; `withKubelet` is the node, if it has one. */
export function followRegistries(
  plan: RegistriesPlan,
  withKubelet: Pick<NodeTree, 'send'> | undefined,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  // One more of those that listen for the end of the node.
  setMaxListeners(0, signal);
  // A kubelet learns of further registries only when it starts.
  const onProvider = (): void => withKubelet?.send({ type: 'restart', name: 'kubelet' });
  return keepRegistries(plan, { report, onProvider }, signal);
}
