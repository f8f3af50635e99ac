import { nthAddress } from '../lib/cidr.js';
import { tapAddressIn } from '../rootless/network.js';
import type { Settings } from '../settings/schema.js';

/** The names and addresses in the certificates of a control plane. */
export function certificateInput(settings: Settings): {
  nodeName: string;
  nodeAddress: string;
  serviceAddress: string;
  dnsDomain: string;
  apiAddress: string;
  hostIp?: string;
} {
  return {
    nodeName: settings.nodeName,
    nodeAddress: tapAddressIn(settings.nodeSubnet),
    ...(settings.hostIp === undefined ? {} : { hostIp: settings.hostIp }),
    serviceAddress: nthAddress(settings.serviceCidr, 1),
    dnsDomain: settings.dnsDomain,
    apiAddress: settings.apiAddress,
  };
}
