import type { KubeClient } from '../kube/client.js';
import { unlessMissing } from '../kube/errors.js';
import { addressFault } from '../membership/approval.js';
import {
  adoptionChange,
  credentialChange,
  departureChange,
  forgottenTokenChange,
  type Member,
  type Members,
  type PresentNode,
} from '../membership/members.js';
import { tokenSecretPath } from '../membership/tokens.js';
import type { Reserved } from '../plan/types.js';
import type { IssuedCertificate } from './node-approver-inbox.js';
import type { MemberRecord } from './node-approver-record.js';

/** A node that was admitted and has not registered within this time has failed to join. */
const registersWithinMs = 3600_000;
/** A host that was admitted fetches its certificate by its token within this time. */
const tokenNeededMs = 120_000;
/** The API server may accept a token for seconds after its end; the record of its use stays longer than that. */
const tokenRememberedMs = 600_000;
/** While something is about to lapse. */
const lookAgainMs = 30_000;

/** Keeps the record of members true: who was there before it, who has left, which tokens have ended. */
export type Keeper = {
  see(present: readonly PresentNode[]): void;
  /** Undefined until they have been seen. */
  nodes(): ReadonlySet<string> | undefined;
  /** Returns when to call it again, in milliseconds. */
  tidy(issued: readonly IssuedCertificate[]): Promise<number>;
  /**
   * The node has presented its own certificate: the token by which it came has served its purpose. One that was adopted is
   * known by that certificate from now on.
   */
  welcome(node: string, credential: string | undefined): Promise<void>;
};

export function createKeeper(
  client: KubeClient,
  record: MemberRecord,
  reserved: Reserved,
  signal: AbortSignal,
): Keeper {
  let present: readonly PresentNode[] = [];
  let nodes: ReadonlySet<string> | undefined;
  /** When Nodes went that were there before, in milliseconds since the epoch. */
  const goneAt = new Map<string, number>();
  const ended = new Set<string>();

  async function adopt(): Promise<void> {
    const others = present.filter(({ name }) => !reserved.hosts.includes(name));
    const mayBe = (address: string): boolean => addressFault(address, reserved) === undefined;
    await record.change(adoptionChange(others, mayBe, Date.now()));
  }

  async function forgetDeparted({ nodes: members }: Members): Promise<void> {
    for (const [node, { admittedAt }] of members) {
      if (nodes?.has(node)) continue;
      const hasLeft = (goneAt.get(node) ?? 0) > admittedAt;
      if (hasLeft || Date.now() - admittedAt > registersWithinMs) await record.change(departureChange(node));
    }
  }

  /** Before what is asked for by them is judged. */
  async function recordCredentials(issued: readonly IssuedCertificate[]): Promise<void> {
    for (const node of new Set(issued.map((each) => each.node))) {
      const member = record.members()?.nodes.get(node);
      if (member === undefined) continue;
      const own = issued.filter((each) => each.node === node && isOf(member, each));
      const oldestFirst = [...own].sort((a, b) => a.createdAt - b.createdAt);
      const change = credentialChange(
        node,
        member,
        oldestFirst.map(({ credential }) => credential),
      );
      if (change !== undefined) await record.change(change);
    }
  }

  async function endTokens({ usedTokens }: Members): Promise<void> {
    for (const [id, { usedAt }] of usedTokens) {
      const age = Date.now() - usedAt;
      if (age > tokenNeededMs && !ended.has(id)) await endToken(id);
      if (age > tokenRememberedMs && ended.has(id)) await record.change(forgottenTokenChange(id));
    }
  }

  async function endToken(id: string): Promise<void> {
    await client.request('DELETE', tokenSecretPath(id), { signal }).catch(unlessMissing);
    ended.add(id);
  }

  return {
    see: (next) => {
      const before = nodes ?? new Set();
      present = next;
      nodes = new Set(next.map(({ name }) => name));
      for (const name of before) if (!nodes.has(name)) goneAt.set(name, Date.now());
      for (const name of nodes) goneAt.delete(name);
    },
    nodes: () => nodes,
    tidy: async (issued) => {
      if (record.members()?.isAdopted === false) await adopt();
      const members = record.members();
      if (members === undefined) return Infinity;
      await forgetDeparted(members);
      await recordCredentials(issued);
      await endTokens(members);
      const isJoining = [...members.nodes.keys()].some((node) => !nodes?.has(node));
      return isJoining || members.usedTokens.size > 0 ? lookAgainMs : Infinity;
    },
    welcome: async (node, credential) => {
      const member = record.members()?.nodes.get(node);
      if (member !== undefined && member.credentials === undefined && credential !== undefined) {
        const change = credentialChange(node, member, [credential]);
        if (change !== undefined) await record.change(change);
      }
      for (const [id, used] of record.members()?.usedTokens ?? [])
        if (used.node === node && !ended.has(id)) await endToken(id);
    },
  };
}

/** Not of an earlier life of the node, which was another's. Times of the API are in whole seconds. */
function isOf({ request, admittedAt }: Member, { uid, createdAt }: IssuedCertificate): boolean {
  return uid === request || createdAt >= Math.floor(admittedAt / 1000) * 1000;
}
