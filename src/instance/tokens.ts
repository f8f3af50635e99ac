import { listTokens, revokeToken, type TokenInfo } from '../membership/tokens.js';
import { asAdmin } from './admin-client.js';
import type { InstanceContext } from './context.js';

/** The tokens by which nodes may join now. */
export function tokens(context: InstanceContext): Promise<TokenInfo[]> {
  return asAdmin(context, (client) => listTokens(client, context.signal));
}

/** Ends tokens, each given whole or by its part before the dot; `onRevoked` hears that part. */
export function revokeTokens(
  context: InstanceContext,
  words: readonly string[],
  onRevoked: (id: string) => void,
): Promise<void> {
  return asAdmin(context, async (client) => {
    for (const word of words) onRevoked(await revokeToken(client, word, context.signal));
  });
}
