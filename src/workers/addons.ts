import { addonOfSet, applyAddon, keptText, removeAddon, waitForAddon } from '../addons/apply.js';
import type { KubeClient } from '../kube/client.js';
import { withClient, type ApiAccess } from '../kube/connect.js';
import { setNames } from '../kube/object-set.js';
import { step } from '../lib/events.js';
import type { AddonPlan, FurtherPlan } from '../plan/types.js';
import { rememberedAddons } from '../settings/remembered-addons.js';
import type { Worker, WorkerContext } from './worker.js';

/** Has the cluster have the add-ons that it is to have, and no others; after the node is up, because nobody waits for it. */
export function addonsWorker({ addons, remembered }: FurtherPlan, api: ApiAccess): Worker {
  return {
    name: 'add-ons',
    stage: 'up',
    run: async (context, signal) => {
      const wanted = await rememberedAddons(remembered);
      await withClient(api, (client) => settle(client, addons, wanted, context, signal));
    },
  };
}

/** One that was enabled after the start has been applied by then; one that was disabled is not applied again. */
async function settle(
  client: KubeClient,
  plans: readonly AddonPlan[],
  wanted: readonly string[],
  { since, report }: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  const present = (await setNames(client, signal)).flatMap((set) => addonOfSet(set) ?? []);
  for (const name of present) {
    if (wanted.includes(name)) continue;
    const kept = await removeAddon(client, name, signal);
    if (kept.length > 0) report({ kind: 'note', text: keptText(name, kept) });
  }
  for (const plan of plans.filter(({ name }) => wanted.includes(name))) {
    await step(report, `addon/${plan.name}`, `add-on ${plan.name}`, async () => {
      await applyAddon(client, plan, signal);
      await waitForAddon(client, plan, since, signal);
    });
  }
}
