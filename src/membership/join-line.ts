import { UsageError } from '../lib/errors.js';

/** The words of a line of `join-command`; each is checked where it is used. */
export type JoinWords = { endpoint: string; token: string; caHash: string };

export function formatJoinLine({ endpoint, token, caHash }: JoinWords): string {
  return `u7s join ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${caHash}`;
}

/** Reads it back from the text that it was written to; `place` tells in an error where that is. */
export function parseJoinLine(text: string, place: string): JoinWords {
  const line = /\bjoin\s+(\S+)\s+--token\s+(\S+)\s+--discovery-token-ca-cert-hash\s+(\S+)/.exec(text);
  const [, endpoint = '', token = '', caHash = ''] = line ?? [];
  if (line !== null) return { endpoint, token, caHash };
  throw new UsageError(
    'todo',
    `${place} has no line of u7s join-command`,
    'write it there on the control plane: u7s join-command > FILE',
  );
}
