import { nthAddress } from '../lib/cidr.js';
import type { CertificateTableInput } from '../pki/certificates.js';
import { tapAddressIn } from '../rootless/network.js';
import type { Settings } from '../settings/schema.js';

/** The names and addresses in the certificates of a control plane. */
export function certificateInput(settings: Settings): CertificateTableInput {
  return {
    nodeName: settings.nodeName,
    nodeAddress: tapAddressIn(settings.nodeSubnet),
    ...(settings.hostIp === undefined ? {} : { hostIp: settings.hostIp }),
    serviceAddress: nthAddress(settings.serviceCidr, 1),
    dnsDomain: settings.dnsDomain,
    apiAddress: settings.apiAddress,
    further: settings.tlsSans,
  };
}
