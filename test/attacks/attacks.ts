import type { Attack, Door } from './attack.js';
import { accountAttacks, accountDoors } from './tables/account.js';
import { localAttacks, localDoors } from './tables/local-user.js';
import { networkAttacks, networkDoors } from './tables/network.js';
import { nodeAttacks, nodeDoors } from './tables/node.js';
import { podAttacks, podDoors } from './tables/pod.js';
import { tokenAttacks, tokenDoors } from './tables/token-holder.js';

/** By position, in the order of docs/security.md. */
export const attacks: readonly Attack[] = [
  ...localAttacks,
  ...accountAttacks,
  ...podAttacks,
  ...tokenAttacks,
  ...nodeAttacks,
  ...networkAttacks,
];

export const doors: readonly Door[] = [
  ...localDoors,
  ...accountDoors,
  ...podDoors,
  ...tokenDoors,
  ...nodeDoors,
  ...networkDoors,
];
