import type { HostNetwork } from '../host/routes.js';
import type { Warning } from '../lib/events.js';
import { cidrContains, cidrsOverlap, nthAddress } from '../lib/cidr.js';

type Networks = {
  podCidr: string;
  serviceCidr: string;
  dockerCidr: string;
  dnsAddress: string;
  nodeSubnet: string;
  severalNodes: boolean;
  hostIp?: string | undefined;
};

/** The settings that are networks. */
export type CidrField = 'podCidr' | 'serviceCidr' | 'dockerCidr' | 'nodeSubnet';

export type NetworkFault = { field: keyof Networks; message: string };

/** The API server takes Service networks up to /12; each has to hold the cluster's DNS in addition to its own address. */
const servicePrefixes = { widest: 12, narrowest: 28 };
const podPrefixes = { widest: 8, narrowest: 28 };
const dockerPrefixes = { widest: 8, narrowest: 22 };
/** Each of several nodes gets a /24 of it. */
const sharedPodPrefixes = { widest: 8, narrowest: 23 };
/** slirp4netns uses the addresses up to number 100. */
const nodePrefixes = { widest: 8, narrowest: 25 };

/** The usual number 53, or 10 in a network too small for that. */
export function defaultDnsAddress(serviceCidr: string): string {
  return nthAddress(serviceCidr, prefixOf(serviceCidr) <= 26 ? 53 : 10);
}

/** What is wrong with networks that are each well formed. */
export function networkFaults(given: Networks): NetworkFault[] {
  const { podCidr, serviceCidr, dockerCidr, dnsAddress, nodeSubnet, hostIp, severalNodes } = given;
  const shapes = [
    ...shapeFaults('podCidr', podCidr, severalNodes ? sharedPodPrefixes : podPrefixes),
    ...shapeFaults('serviceCidr', serviceCidr, servicePrefixes),
    ...shapeFaults('dockerCidr', dockerCidr, dockerPrefixes),
    ...shapeFaults('nodeSubnet', nodeSubnet, nodePrefixes),
  ];
  if (shapes.length > 0) return shapes;
  const faults: NetworkFault[] = [];
  const networks = Object.entries({ podCidr, serviceCidr, dockerCidr }) as [CidrField, string][];
  for (const [index, [field, cidr]] of networks.entries()) {
    for (const [other, otherCidr] of networks.slice(index + 1)) {
      if (!cidrsOverlap(cidr, otherCidr)) continue;
      faults.push({ field, message: `${cidr} overlaps with ${other} ${otherCidr}` });
    }
    if (cidrsOverlap(cidr, nodeSubnet)) {
      faults.push({ field, message: `${cidr} overlaps with ${nodeSubnet}, the node's own network` });
    }
  }
  for (const cidr of hostIp === undefined ? [] : [podCidr, serviceCidr, dockerCidr, nodeSubnet]) {
    if (cidrContains(cidr, hostIp ?? '')) {
      faults.push({ field: 'hostIp', message: `${hostIp} is in ${cidr}, a network of the cluster's own` });
    }
  }
  if (!cidrContains(serviceCidr, dnsAddress)) {
    faults.push({ field: 'dnsAddress', message: `${dnsAddress} is not in serviceCidr ${serviceCidr}` });
  } else if ([0, 1, size(serviceCidr) - 1].some((index) => nthAddress(serviceCidr, index) === dnsAddress)) {
    faults.push({
      field: 'dnsAddress',
      message: `${dnsAddress} has another use: take another of ${serviceCidr}`,
    });
  }
  return faults;
}

/** A warning for each network of the host that pods and containers cannot reach, because one of ours covers its addresses. */
export function shadowed(
  given: Pick<Networks, CidrField>,
  used: readonly CidrField[],
  host: readonly HostNetwork[],
): Warning[] {
  return used.flatMap((field) =>
    host
      .filter(({ cidr }) => cidrsOverlap(cidr, given[field]))
      .map(({ device, cidr }): Warning => ({
        kind: 'warning',
        text: `pods and containers cannot reach ${cidr}, which the host reaches by ${device}: ${field} ${given[field]} covers it`,
        code: 'network-shadowed',
        fixes: [`if they need that network, set another ${field} in a description: --config FILE`],
      })),
  );
}

function shapeFaults(
  field: CidrField,
  cidr: string,
  { widest, narrowest }: { widest: number; narrowest: number },
): NetworkFault[] {
  const network = `${nthAddress(cidr, 0)}/${prefixOf(cidr)}`;
  if (network !== cidr) return [{ field, message: `${cidr} is an address in a network: write ${network}` }];
  if (prefixOf(cidr) >= widest && prefixOf(cidr) <= narrowest) return [];
  return [{ field, message: `${cidr} must be between /${widest} and /${narrowest}` }];
}

function prefixOf(cidr: string): number {
  return Number(cidr.split('/')[1]);
}

function size(cidr: string): number {
  return 2 ** (32 - prefixOf(cidr));
}
