import type { KubeClient } from '../kube/client.js';
import { mirror } from '../kube/mirror.js';
import { createBell } from '../lib/bell.js';
import { messageOf } from '../lib/errors.js';
import { warningOf } from '../lib/events.js';
import type { Worker, WorkerContext } from './worker.js';
import { judge, type SigningRequest, type Verdict } from '../membership/approval.js';
import { connect } from '../kube/connect.js';
import type { ApiAccess } from '../kube/connect.js';

const collection = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
/** Pause before a request that could not be answered is tried again. */
const retryMs = 2_000;
/** So many faults in a row last longer than a restart of the API server. */
const faultsToWarn = 6;

/** As much of a CertificateSigningRequest as matters here. */
type RawRequest = {
  metadata: { name: string; creationTimestamp: string };
  spec: { request: string; signerName: string; username: string; groups?: string[]; usages?: string[] };
  status?: { conditions?: { type: string }[] };
};
type Node = { metadata: { name: string }; status?: { addresses?: { address: string }[] } };

/** Answers the requests of nodes for their certificates. kube-controller-manager signs what is approved. */
export function nodeApprover(access: ApiAccess): Worker {
  return { name: 'node approver', stage: 'up', run: (context, signal) => approve(access, context, signal) };
}

async function approve(access: ApiAccess, { report }: WorkerContext, signal: AbortSignal): Promise<void> {
  const bell = createBell();
  let requests: RawRequest[] | undefined;
  let nodes: ReadonlyMap<string, readonly string[]> | undefined;
  const seenAt = new Map<string, number>();
  let faults = 0;

  async function follow(client: KubeClient): Promise<void> {
    const onFault = (error: unknown): void => {
      faults = error === undefined ? 0 : faults + 1;
      if (faults !== faultsToWarn) return;
      report(warningOf(error, `nodes cannot join: ${messageOf(error)}; trying again`));
    };
    await Promise.all([
      mirror<RawRequest, RawRequest>(client, {
        path: collection,
        keep: ({ metadata, spec, status }) => ({
          metadata,
          spec,
          ...(status === undefined ? {} : { status }),
        }),
        onChange: (present) => {
          requests = [...present.values()];
          bell.ring();
        },
        onFault,
        signal,
      }),
      mirror<Node, [string, string[]]>(client, {
        path: '/api/v1/nodes',
        keep: ({ metadata, status }) => [
          metadata.name,
          (status?.addresses ?? []).map(({ address }) => address),
        ],
        onChange: (present) => {
          nodes = new Map(present.values());
          for (const name of nodes.keys()) seenAt.set(name, Date.now());
        },
        onFault,
        signal,
      }),
      keepAnswering(client),
    ]);
  }

  async function keepAnswering(client: KubeClient): Promise<void> {
    let waitMs = Infinity;
    for (;;) {
      await bell.rung(waitMs, signal);
      if (signal.aborted) return;
      if (requests === undefined || nodes === undefined) {
        waitMs = 50;
        continue;
      }
      waitMs = (await answerAll(client, requests, nodes)) ? Infinity : retryMs;
    }
  }

  /** Returns whether every answer was taken. */
  async function answerAll(
    client: KubeClient,
    raw: readonly RawRequest[],
    present: ReadonlyMap<string, readonly string[]>,
  ): Promise<boolean> {
    if (!raw.some((request) => stateOf(request) === 'pending')) return true;
    const read = await Promise.all(raw.map(readSigningRequest));
    let succeeded = true;
    for (const request of read) {
      if (request.state !== 'pending') continue;
      const verdict = judge(request, { nodes: present, seenAt, requests: read });
      if (verdict === undefined) continue;
      try {
        await answer(client, request.name, verdict, signal);
        request.state = 'approve' in verdict ? 'approved' : 'denied';
      } catch {
        succeeded = false;
      }
    }
    return succeeded;
  }

  const client = await connect(access);
  try {
    await follow(client);
  } finally {
    client.close();
  }
}

async function answer(
  client: KubeClient,
  name: string,
  verdict: Verdict,
  signal: AbortSignal,
): Promise<void> {
  const [type, message] =
    'approve' in verdict ? ['Approved', 'as it should be for its node'] : ['Denied', verdict.deny];
  await client.request('PATCH', `${collection}/${encodeURIComponent(name)}/approval`, {
    contentType: 'application/merge-patch+json',
    body: { status: { conditions: [{ type, status: 'True', reason: 'UsernetesNodeApprover', message }] } },
    signal,
  });
  // The node has its certificate now: the token has served its purpose.
  if ('approve' in verdict && verdict.usedUp !== undefined) {
    const secret = `/api/v1/namespaces/kube-system/secrets/bootstrap-token-${verdict.usedUp}`;
    await client.request('DELETE', secret, { signal }).catch(() => undefined); // gone already
  }
}

async function readSigningRequest(raw: RawRequest): Promise<SigningRequest> {
  const { metadata, spec } = raw;
  // Loaded only where nodes join: most launchers never need it.
  const { readRequest } = await import('../pki/request.js');
  return {
    name: metadata.name,
    username: spec.username,
    groups: spec.groups ?? [],
    signerName: spec.signerName,
    usages: spec.usages ?? [],
    requested: readable(() => readRequest(Buffer.from(spec.request, 'base64').toString())),
    createdAt: Date.parse(metadata.creationTimestamp),
    state: stateOf(raw),
  };
}

/** A request that cannot be read becomes one for nothing, which is not allowed. */
function readable(read: () => SigningRequest['requested']): SigningRequest['requested'] {
  try {
    return read();
  } catch {
    return { subject: [], dns: [], ips: [], otherNames: 0 };
  }
}

function stateOf({ status }: RawRequest): SigningRequest['state'] {
  const types = (status?.conditions ?? []).map(({ type }) => type);
  if (types.includes('Denied') || types.includes('Failed')) return 'denied';
  return types.includes('Approved') ? 'approved' : 'pending';
}
