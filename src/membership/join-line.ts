import { UsageError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';

/** The arguments in a line of `join-command`; each is checked where it is used. */
export type JoinWords = { endpoint: string; token: string; caHash: string };

export function formatJoinLine({ endpoint, token, caHash }: JoinWords): string {
  return `u7s join ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${caHash}`;
}

/** Finds the line in a text; `place` names in an error where that text is from. */
export function parseJoinLine(text: string, place: string): JoinWords {
  const line = /\bjoin\s+(\S+)\s+--token\s+(\S+)\s+--discovery-token-ca-cert-hash\s+(\S+)/.exec(text);
  const [, endpoint = '', token = '', caHash = ''] = line ?? [];
  if (line !== null) return { endpoint, token, caHash };
  throw new UsageError(
    'no-join-line',
    `${place} does not hold the line that join-command prints`,
    u7s(['join-command'], { on: 'control-plane', text: 'write the output of this to it' }),
  );
}
