import { nthAddress } from '../lib/cidr.js';

/** slirp4netns' default network. */
export const tapNetwork = '10.0.2.0/24';

/** The host as pods and containers reach it, where its ports are opened: 10.0.2.110. */
export const hostAddressIn = (network: string): string => nthAddress(network, 110);

/** Its names. The second is that of Docker's. */
export const hostNames = ['host.usernetes.internal', 'host.docker.internal'] as const;

/** The node's address in a network of slirp4netns': 10.0.2.100. */
export const tapAddressIn = (network: string): string => nthAddress(network, 100);

/** Where slirp4netns' own resolver would be, which asks only the first of the host's servers: ours takes its place. 10.0.2.3. */
export const dnsAddressIn = (network: string): string => nthAddress(network, 3);
