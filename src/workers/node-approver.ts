import type { KubeClient } from '../kube/client.js';
import { withClient } from '../kube/connect.js';
import { KubeError } from '../kube/errors.js';
import { mirror } from '../kube/mirror.js';
import { createBell } from '../lib/bell.js';
import { messageOf } from '../lib/errors.js';
import { warningOf, type Report } from '../lib/events.js';
import { judge, nodeOf, type Approval, type Verdict } from '../membership/approval.js';
import { admissionChange, type PresentNode } from '../membership/members.js';
import type { ApproverPlan, Reserved } from '../plan/types.js';
import { createKeeper, type Keeper } from './node-approver-keeper.js';
import { createRecord, type MemberRecord } from './node-approver-record.js';
import {
  approvalReason,
  createInbox,
  keepRequest,
  type Inbox,
  type IssuedCertificate,
  type KeptRequest,
  type PendingRequest,
  type RawRequest,
} from './node-approver-inbox.js';
import type { Worker } from './worker.js';

const collection = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
/** Pause before a request that could not be answered is tried again. */
const retryMs = 2_000;
/** So many faults in a row last longer than a restart of the API server. */
const faultsToWarn = 6;
/** Denials that are under way at once, so that a flood of bad requests does not hold up good ones for long. */
const denialsAtOnce = 8;

type RawNode = {
  metadata: { name: string; creationTimestamp?: string };
  status?: { addresses?: { type: string; address: string }[] };
};

/**
 * Answers the requests of nodes for their certificates, and keeps the record of who belongs to the cluster.
 * kube-controller-manager signs what is approved.
 */
export function nodeApprover({ api, reserved }: ApproverPlan): Worker {
  return {
    name: 'node approver',
    stage: 'up',
    run: ({ report }, signal) => withClient(api, (client) => follow(client, reserved, report, signal)),
  };
}

async function follow(
  client: KubeClient,
  reserved: Reserved,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const bell = createBell();
  const inbox = createInbox();
  const record = createRecord(client, signal);
  const keeper = createKeeper(client, record, reserved, signal);
  const onFault = faultCounter(report);
  const cluster: Cluster = { client, inbox, record, keeper, reserved, signal };

  async function keepAnswering(): Promise<void> {
    let waitMs = Infinity;
    for (;;) {
      await bell.rung(waitMs, signal);
      if (signal.aborted) return;
      waitMs = await answerAll(cluster).catch((error: unknown) => {
        // Somebody else has changed the record: what has changed arrives, and rings.
        if (!(error instanceof KubeError && error.status === 409)) onFault(error);
        return retryMs;
      });
    }
  }

  await Promise.all([
    mirror<RawRequest, KeptRequest | IssuedCertificate>(client, {
      path: collection,
      keep: keepRequest,
      onChange: (present) => {
        inbox.fill(present);
        bell.ring();
      },
      onFault,
      signal,
    }),
    mirror<RawNode, PresentNode>(client, {
      path: '/api/v1/nodes',
      keep: presentNode,
      onChange: (present) => {
        keeper.see([...present.values()]);
        bell.ring();
      },
      onFault,
      signal,
    }),
    record.follow(() => bell.ring(), onFault),
    keepAnswering(),
  ]);
}

function presentNode({ metadata, status }: RawNode): PresentNode {
  const addresses = status?.addresses?.filter(({ type }) => type === 'InternalIP') ?? [];
  return {
    name: metadata.name,
    addresses: addresses.map(({ address }) => address),
    createdAt: Date.parse(metadata.creationTimestamp ?? '') || 0,
  };
}

/** Warns once when faults follow one another; hears undefined when all is well again. */
function faultCounter(report: Report): (error: unknown) => void {
  let faults = 0;
  return (error) => {
    faults = error === undefined ? 0 : faults + 1;
    if (faults !== faultsToWarn) return;
    report(warningOf(error, `nodes cannot join: ${messageOf(error)}; trying again`));
  };
}

type Cluster = {
  client: KubeClient;
  inbox: Inbox;
  record: MemberRecord;
  keeper: Keeper;
  reserved: Reserved;
  signal: AbortSignal;
};

/** Brings the record up to date and answers what has not been answered. Returns when to look again, in milliseconds. */
async function answerAll(cluster: Cluster): Promise<number> {
  const { inbox, record, keeper, reserved } = cluster;
  if (keeper.nodes() === undefined || record.members() === undefined) return Infinity;
  const againMs = await keeper.tidy(inbox.issued());
  const denials: { request: KeptRequest; verdict: Verdict }[] = [];
  for (const request of await inbox.pending()) {
    // Again for each request, since the one before may have changed them.
    const [nodes, members] = [keeper.nodes(), record.members()];
    if (nodes === undefined || members === undefined) return Infinity;
    const verdict = judge(request.parsed, { nodes, members, reserved });
    if (verdict === undefined) inbox.settle(request.kept);
    else if ('deny' in verdict) denials.push({ request: request.kept, verdict });
    else await approve(cluster, request, verdict);
  }
  for (let first = 0; first < denials.length; first += denialsAtOnce) {
    const some = denials.slice(first, first + denialsAtOnce);
    await Promise.all(some.map(({ request, verdict }) => answer(cluster, request, verdict)));
  }
  return againMs;
}

/** The record comes first: what follows from an approval holds even if we end between the two. */
async function approve(
  cluster: Cluster,
  { kept, parsed }: PendingRequest,
  { admission }: Approval,
): Promise<void> {
  const { record, keeper } = cluster;
  if (admission !== undefined) await record.change(admissionChange(admission, Date.now()));
  const node = nodeOf(parsed.username);
  if (node !== undefined) await keeper.welcome(node, parsed.credential);
  await answer(cluster, kept, { approve: true });
}

async function answer(
  { client, inbox, signal }: Cluster,
  request: KeptRequest,
  verdict: Verdict,
): Promise<void> {
  const [type, message] =
    'approve' in verdict ? ['Approved', 'as it should be for its node'] : ['Denied', verdict.deny];
  try {
    await client.request('PATCH', `${collection}/${encodeURIComponent(request.name)}/approval`, {
      contentType: 'application/merge-patch+json',
      body: { status: { conditions: [{ type, status: 'True', reason: approvalReason, message }] } },
      signal,
    });
  } catch (error) {
    // Gone in the meantime, or of a signer about which we have no say, so that nobody signs it because of us.
    if (!(error instanceof KubeError && [403, 404].includes(error.status))) throw error;
  }
  inbox.settle(request);
}
