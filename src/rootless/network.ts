import { nthAddress } from '../lib/cidr.js';

/** slirp4netns' default network. */
export const tapNetwork = '10.0.2.0/24';

/** The node's address in a network of slirp4netns': 10.0.2.100. */
export const tapAddressIn = (network: string): string => nthAddress(network, 100);
