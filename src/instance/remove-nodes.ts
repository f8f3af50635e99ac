import { instanceStatus } from '../launcher/client.js';
import { step } from '../lib/events.js';
import { expelNode, requireOther } from '../membership/remove-node.js';
import { asAdmin } from './admin-client.js';
import type { InstanceContext } from './context.js';

/** Takes nodes out of the cluster, one after the other; `onRemoved` hears the name of each. */
export function removeNodes(
  context: InstanceContext,
  names: readonly string[],
  onRemoved: (name: string) => void,
): Promise<void> {
  const { paths, report, signal } = context;
  return asAdmin(context, async (client) => {
    const own = (await instanceStatus(paths.controlSocket, signal))?.nodeName;
    for (const name of names) {
      requireOther(name, own);
      await step(report, `node/${name}`, `removal of node ${name}`, (progress) =>
        expelNode(client, name, progress, signal),
      );
      onRemoved(name);
    }
  });
}
