import { from, type Attack, type Door } from '../attack.js';

const account = from('account');
void account;

export const accountAttacks: readonly Attack[] = [];
export const accountDoors: readonly Door[] = [];
