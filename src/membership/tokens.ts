import { randomInt } from 'node:crypto';
import type { KubeClient } from '../kube/client.js';
import { KubeError } from '../kube/errors.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { joiningGroup, madeGroup, reusableGroup } from './approval.js';

/** A token in Kubernetes' own form: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */
export const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

export type TokenInfo = {
  /** The part before the dot, which is not secret. */
  id: string;
  /** ISO 8601; missing for a token that never expires, which only others make. */
  expires?: string;
  /** Whether it admits more than one node. */
  reusable: boolean;
};

const secrets = '/api/v1/namespaces/kube-system/secrets';
export const tokenSecretPath = (id: string): string => `${secrets}/bootstrap-token-${encodeURIComponent(id)}`;
const secretType = 'bootstrap.kubernetes.io/token';

/** Makes a token by which nodes can join for `ttlMs` milliseconds. */
export async function createToken(
  client: KubeClient,
  { ttlMs, reusable }: { ttlMs: number; reusable: boolean },
  signal: AbortSignal,
): Promise<string> {
  const [id, secret] = [randomWord(6), randomWord(16)];
  const groups = [joiningGroup, ...(reusable ? [reusableGroup] : []), `${madeGroup}${Date.now()}`];
  await client.request('POST', secrets, {
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      type: secretType,
      stringData: {
        'token-id': id,
        'token-secret': secret,
        expiration: `${new Date(Date.now() + ttlMs).toISOString().slice(0, 19)}Z`,
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': groups.join(),
      },
    },
    signal,
  });
  return `${id}.${secret}`;
}

/** The tokens by which nodes may join now, in the order in which they expire. */
export async function listTokens(client: KubeClient, signal: AbortSignal): Promise<TokenInfo[]> {
  const query = new URLSearchParams({ fieldSelector: `type=${secretType}` });
  const { items } = await client.get<{ items: TokenSecret[] }>(`${secrets}?${query.toString()}`, { signal });
  return items
    .map(({ data }): TokenInfo => {
      const text = (key: string): string => Buffer.from(data?.[key] ?? '', 'base64').toString();
      const expires = text('expiration');
      return {
        id: text('token-id'),
        ...(expires === '' ? {} : { expires }),
        reusable: text('auth-extra-groups').split(',').includes(reusableGroup),
      };
    })
    .filter(({ expires }) => expires === undefined || Date.parse(expires) > Date.now())
    .sort((a, b) => (a.expires ?? '~').localeCompare(b.expires ?? '~'));
}

/** Makes the token useless for further joins. `word` is the token, or its part before the dot. */
export async function revokeToken(client: KubeClient, word: string, signal: AbortSignal): Promise<string> {
  const [id = ''] = word.split('.');
  try {
    await client.request('DELETE', tokenSecretPath(id), { signal });
    return id;
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 404) throw error;
    throw new U7sError('no-such-token', `there is no token ${id}`, {
      fixes: [u7s(['token', 'list'], { text: 'see which there are' })],
      cause: error,
    });
  }
}

type TokenSecret = { data?: Record<string, string> };

function randomWord(length: number): string {
  const characters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => characters[randomInt(characters.length)]).join('');
}
