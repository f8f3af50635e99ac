import { createKubeClient, type KubeClient } from '../kube/client.js';
import { discoverAuthority, unreachable, verifyServer } from '../kube/discovery.js';
import { KubeError, unlessMissing } from '../kube/errors.js';
import { DeniedError } from '../kube/signing-request.js';
import { isTransient } from '../kube/wait.js';
import { errnoOf, messageOf, U7sError, UsageError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { step, type Report } from '../lib/events.js';
import { workerCertificates } from '../pki/certificates.js';
import { tokenPattern } from './tokens.js';
import type { SharedSettings } from '../settings/shared.js';
import { readFacts } from './facts.js';
import { connectAsNode, obtainCertificates } from './certificates.js';
import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';

/** What the line of `u7s join-command` says. */
export type Invitation = { host: string; port: number; token: string; caHash: string };

export function parseInvitation(endpoint: string, token: string, caHash: string): Invitation {
  const fix = u7s(['join-command'], { on: 'control-plane', text: 'paste the whole line that it prints' });
  const wrong = (what: string): UsageError => new UsageError('invitation-invalid', what, fix);
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(endpoint) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw wrong(`${JSON.stringify(endpoint)} is not HOST:PORT of a control plane`);
  }
  if (!tokenPattern.test(token))
    throw wrong('--token is not a token: six letters or digits, a dot and sixteen more');
  if (!/^sha256:[0-9a-f]{64}$/.test(caHash)) {
    throw wrong('--discovery-token-ca-cert-hash is not sha256: and 64 hexadecimal digits');
  }
  return { host, port: Number(port), token, caHash };
}

const anotherLine = u7s(['join-command'], { on: 'control-plane', text: 'get another line' });

/** A control plane that is the one meant, by a connection on which nobody else listens. */
export type ControlPlane = {
  server: string;
  ca: string;
  /** Addresses of both hosts, as this one sees them. */
  localAddress: string;
  remoteAddress: string;
  /** The settings that all its nodes share. */
  facts: SharedSettings;
  /** With the rights of the token. */
  client: KubeClient;
};

/** Finds the control plane, makes sure that it is the right one, and only then shows it the token. */
export async function approach(
  invitation: Invitation,
  report: Report,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const { host, port, token, caHash } = invitation;
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return step(report, 'control-plane', `control plane ${host}:${port}`, async () => {
    const { ca, localAddress, remoteAddress } = await discoverAuthority({ host, port }, caHash, signal);
    await verifyServer(server, ca, signal);
    const client = createKubeClient({ server, ca, token });
    return { server, ca, localAddress, remoteAddress, client, facts: await readFacts(client, signal) };
  });
}

/** Refuses what would make the cluster worse: a second node of a name, or one at another's address. */
export async function requireRoom(
  { client, remoteAddress }: ControlPlane,
  { nodeName, hostIp }: { nodeName: string; hostIp: string },
  signal: AbortSignal,
): Promise<void> {
  if (hostIp === remoteAddress) {
    throw new U7sError(
      'address-taken',
      `${hostIp} is the address of the control plane, which another node cannot have`,
      { fixes: ['join from another host, or give another address of this one: --host-ip'] },
    );
  }
  const path = `/api/v1/nodes/${encodeURIComponent(nodeName)}`;
  const present = await client.get(path, { signal }).catch(unlessMissing);
  if (present === undefined) return;
  throw new U7sError('node-name-taken', `the cluster already has a node ${nodeName}`, {
    fixes: [
      'take another name: --node-name',
      u7s(['node', 'rm', nodeName], { on: 'control-plane', text: 'or, if that node is gone for good' }),
    ],
  });
}

/** Gets the node's certificates, by which it is a member. */
export async function obtainMembership(
  settings: Settings,
  { pki }: Paths,
  { server, ca, client }: ControlPlane,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const address = settings.hostIp ?? '';
  const table = workerCertificates(settings.nodeName, address);
  await step(report, 'join', 'certificates of the node', () =>
    obtainCertificates(pki, table, { server, ca, token: client, address }, signal).catch((error: unknown) => {
      if (!(error instanceof DeniedError)) throw error;
      throw new U7sError('join-denied', error.message, { fixes: [anotherLine], cause: error });
    }),
  );
}

/** Has the control plane forget a node whose join failed, as far as it has heard of it. */
export async function forgetNode(
  { controlPlane = '', nodeName }: Settings,
  { pki }: Paths,
  signal: AbortSignal,
): Promise<void> {
  try {
    const node = await connectAsNode(controlPlane, pki);
    await node.request('DELETE', `/api/v1/nodes/${nodeName}`, { signal }).catch(() => undefined);
    node.close();
  } catch {
    // It had no certificate yet, so the cluster has not heard of it.
  }
}

/**
 * Refuses to start a node that its control plane has removed. One that cannot be reached causes only a warning: when all hosts
 * start at once, it may be the last.
 */
export async function requireMembership(
  { controlPlane = '', nodeName }: Settings,
  paths: Paths,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const node = await connectAsNode(controlPlane, paths.pki);
  try {
    await node.get(`/api/v1/nodes/${encodeURIComponent(nodeName)}`, { signal, timeoutMs: 5_000 });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KubeError && error.status === 404) {
      throw new U7sError(
        'node-removed',
        `the cluster of ${controlPlane} has removed this node, ${nodeName}`,
        {
          fixes: [
            u7s(['leave'], { text: 'give up its data' }),
            u7s(['join-command'], { on: 'control-plane', text: 'then join anew by the line that it prints' }),
          ],
          cause: error,
        },
      );
    }
    if (error instanceof KubeError && !isTransient(error)) throw error;
    const { message, code, fixes } = unreachable(
      new URL(controlPlane).host,
      errnoOf(error) ?? messageOf(error),
      error,
    );
    report({ kind: 'warning', text: `${message}; waiting for it`, code, fixes });
  } finally {
    node.close();
  }
}
