import type { HostNetwork } from '../host/routes.js';
import { cidrsOverlap } from '../lib/cidr.js';
import type { CidrField } from './networks.js';
import { hasSeveralNodes } from './role.js';
import type { SettingsInput } from './schema.js';

/** A network of the instance that is another than usual, since the host reaches one there. */
export type MovedNetwork = { field: CidrField; cidr: string; usual: string; because: HostNetwork };

export const movedText = ({ field, cidr, usual, because }: MovedNetwork): string =>
  `${field} is ${cidr} instead of ${usual}, since this host reaches ${because.cidr} by ${because.device}`;

/** Private networks, and what carriers share: which of them a company has in use nobody knows, so there are many. */
const blocks = [
  ...Array.from({ length: 59 }, (_, index) => `10.${41 + index}`),
  ...Array.from({ length: 16 }, (_, index) => `172.${31 - index}`),
  ...Array.from({ length: 64 }, (_, index) => `100.${64 + index}`),
];

const usual = (several: boolean): readonly (readonly [CidrField, string, string])[] => [
  ['nodeSubnet', '10.0.2.0/24', '.2.0/24'],
  ['serviceCidr', '10.0.0.0/24', '.0.0/24'],
  ['podCidr', several ? '10.5.0.0/16' : '10.88.0.0/16', '.0.0/16'],
  ['dockerCidr', '10.89.0.0/16', '.0.0/16'],
];

/** For the networks that nobody has `chosen`: others where the usual ones overlap with the host's. */
export function networksApart(chosen: Partial<SettingsInput>, host: readonly HostNetwork[]): MovedNetwork[] {
  const fields = usual(hasSeveralNodes(chosen));
  const taken: HostNetwork[] = [
    ...host,
    ...fields.map(([field, cidr]) => ({ device: field, cidr: chosen[field] ?? cidr })),
  ];
  const overlaps = (cidr: string, others: readonly HostNetwork[]): HostNetwork | undefined =>
    others.find((other) => isNetwork(other.cidr) && cidrsOverlap(other.cidr, cidr));
  const own: HostNetwork[] =
    chosen.hostIp === undefined ? [] : [{ device: 'hostIp', cidr: `${chosen.hostIp}/32` }];
  return fields.flatMap(([field, cidr, ending]) => {
    const because = chosen[field] === undefined ? overlaps(cidr, [...host, ...own]) : undefined;
    if (because === undefined) return [];
    const found = blocks
      .map((block) => `${block}${ending}`)
      .find((each) => !overlaps(each, [...taken, ...own]));
    if (found === undefined) return [];
    taken.push({ device: field, cidr: found });
    return [{ field, cidr: found, usual: cidr, because }];
  });
}

/** What is no network is refused where settings are checked. */
const isNetwork = (cidr: string): boolean => /^\d+(\.\d+){3}\/\d+$/.test(cidr);
