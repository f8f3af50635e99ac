import { watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readIdentityFiles, identityFiles } from '../pki/identity.js';
import { renderKubeconfig } from '../kube/kubeconfig.js';
import { replaceInKubeconfigs } from '../kube/kubeconfig-merge.js';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { messageOf } from '../lib/errors.js';
import { warningOf, type Report } from '../lib/events.js';
import { lifeOfCertificates, renewCertificates } from '../membership/certificates.js';
import type { KubeconfigPlan, RenewalPlan } from '../plan/types.js';
import type { Worker, WorkerContext } from './worker.js';

/** A host that sleeps, or whose clock is set, is not noticed by a timer. */
const lookMs = { shortest: 1_000, longest: 3600_000 };
const retryMs = 60_000;
/** A control plane that does not answer must not keep a node from its start. */
const beforeMs = 10_000;
/** Components look at their files every five minutes. What ends sooner than they do has to be shown to them. */
const readAgainMs = 6 * 60_000;
/** Its program reads it only when it starts. */
const readOnce = ['metrics-server'];

/**
 * Renews the certificates of a node while it runs. All that uses them reads the files again: servers at each connection or
 * within a minute, clients within five. A service that does not, or whose old one has ended by then, is started again.
 */
export function certificateRenewal(plan: RenewalPlan): Worker {
  return {
    name: 'certificate renewal',
    stage: 'api',
    before: async ({ report }, signal) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(beforeMs)]);
      await renewDue(plan, report, limited).catch((error: unknown) => {
        if (!signal.aborted) report(warningOf(error, `certificates cannot be renewed: ${messageOf(error)}`));
      });
    },
    run: (context, signal) => keepRenewing(plan, context, signal).catch(unlessAborted(signal)),
  };
}

async function keepRenewing(plan: RenewalPlan, context: WorkerContext, signal: AbortSignal): Promise<void> {
  const { pki, table } = plan;
  const { report, restart } = context;
  const folder = watchFolder(pki, signal);
  let failed = false;
  for (;;) {
    const { renewAt, end } = await lifeOfCertificates(pki, table);
    await folder.change(failed ? retryMs : Math.min(lookMs.longest, renewAt - Date.now()));
    // Who writes a pair writes two files.
    await delay(lookMs.shortest, undefined, { signal });
    try {
      for (const service of await renewDue(plan, report, signal)) {
        report({
          kind: 'note',
          text: `${service} is started again, to read its certificates`,
        });
        restart(service);
      }
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

/** Renews what is due, and returns the services whose present certificate ends before they look at the new one. */
async function renewDue(plan: RenewalPlan, report: Report, signal: AbortSignal): Promise<string[]> {
  const { pki, table, server, readers, kubeconfigs } = plan;
  const { ends } = await lifeOfCertificates(pki, table);
  const names = await renewCertificates(pki, table, server, signal);
  if (names.length === 0) return [];
  report({ kind: 'note', text: `renewed certificates: ${names.join(', ')}` });
  if (kubeconfigs !== undefined && names.includes('admin'))
    await renewKubeconfigs(pki, kubeconfigs, report, signal);
  const isUrgent = (name: string): boolean =>
    readOnce.includes(name) || (ends.get(name) ?? 0) < Date.now() + readAgainMs;
  const urgent = names.filter(isUrgent);
  return [...new Set(urgent.flatMap((name) => readers[name] ?? []))];
}

/** The administrator's own copies; the person's only where the cluster still is in it. */
async function renewKubeconfigs(
  pki: string,
  { name, server, own, candidates }: KubeconfigPlan,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const entry = { name, server, ...(await readIdentityFiles(identityFiles(pki, 'admin'))) };
  await writeFileAtomic(own, renderKubeconfig(entry));
  await replaceInKubeconfigs(candidates, entry, signal).catch((error: unknown) => {
    if (!signal.aborted)
      report(warningOf(error, `the kubeconfig keeps its old certificate: ${messageOf(error)}`));
  });
}

/** `change` resolves at the next change in the folder, at the latest after `withinMs`. */
function watchFolder(path: string, signal: AbortSignal): { change(withinMs: number): Promise<void> } {
  let changed: AbortController | undefined;
  let missed = false;
  const onChange = (): void => {
    missed = true;
    changed?.abort();
  };
  try {
    // Where the user may have no more watches, it is looked at by time only.
    watch(path, { persistent: false, signal }, onChange).on('error', () => undefined);
  } catch {
    signal.throwIfAborted();
  }
  return {
    change: async (withinMs) => {
      signal.throwIfAborted();
      changed = new AbortController();
      if (!missed) {
        const woken = AbortSignal.any([signal, changed.signal]);
        await delay(Math.max(0, withinMs), undefined, { signal: woken }).catch(() => signal.throwIfAborted());
      }
      changed = undefined;
      missed = false;
    },
  };
}

function unlessAborted(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
