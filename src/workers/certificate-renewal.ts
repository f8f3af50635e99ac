import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../lib/errors.js';
import { warningOf, type Report } from '../lib/events.js';
import { lifeOfCertificates, renewCertificates } from '../membership/certificates.js';
import type { RenewalPlan } from '../plan/types.js';
import type { Worker } from './worker.js';

/** A host that sleeps, or whose clock is set, is not noticed by a timer. */
const lookMs = { shortest: 1_000, longest: 3600_000 };
const retryMs = 60_000;

/**
 * Renews the certificates of a node that has joined while it runs. kubelet, kube-proxy and flannel read the files again
 * within five minutes, our own clients within one.
 */
export function certificateRenewal(plan: RenewalPlan): Worker {
  return {
    name: 'certificate renewal',
    stage: 'up',
    run: ({ report }, signal) => keepRenewing(plan, report, signal).catch(unlessAborted(signal)),
  };
}

async function keepRenewing(
  { pki, server, table }: RenewalPlan,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  let failed = false;
  for (;;) {
    const { renewAt, end } = await lifeOfCertificates(pki, table);
    const waitMs = failed ? retryMs : Math.max(lookMs.shortest, renewAt - Date.now());
    await delay(Math.min(waitMs, lookMs.longest), undefined, { signal });
    if (renewAt > Date.now()) continue;
    try {
      const names = await renewCertificates(pki, table, server, signal);
      report({ kind: 'note', text: `renewed certificates: ${names.join(', ')}` });
      failed = false;
    } catch (error) {
      signal.throwIfAborted();
      const day = new Date(end).toISOString().slice(0, 10);
      const text = `the certificates of this node, which end on ${day}, cannot be renewed: ${messageOf(error)}; trying again`;
      if (!failed) report(warningOf(error, text));
      failed = true;
    }
  }
}

function unlessAborted(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
