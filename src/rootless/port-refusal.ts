import { U7sError } from '../lib/errors.js';
import type { RootlessKitError } from './api-client.js';
import { portHolder } from './port-holder.js';
import { formatParent, formatPortSpec, portsConflict, type PortSpec, type PortStatus } from './port-spec.js';

/**
 * What RootlessKit's refusal means for whoever asked for `spec`: who has the port, or what the kernel wants. `live` are the
 * ports that RootlessKit has published.
 */
export async function explainRefusal(
  error: RootlessKitError,
  spec: PortSpec,
  live: readonly PortStatus[],
): Promise<U7sError> {
  const refused = (message: string, fix?: string): U7sError =>
    new U7sError('todo', message, { cause: error, ...(fix === undefined ? {} : { fixes: [fix] }) });
  const port = formatParent(spec);
  switch (error.reason) {
    case 'conflict':
    case 'in-use': {
      const rival = live.find((status) => portsConflict(status.spec, spec));
      if (rival !== undefined) {
        return refused(
          `${port} conflicts with a published port: ID ${rival.id}, ${formatPortSpec(rival.spec)}`,
          `take another port, or: rootlessctl remove-ports ${rival.id}`,
        );
      }
      const holder = await portHolder(spec);
      return refused(
        `${port} is in use on the host${holder === undefined ? '' : ` by ${holder}`}`,
        'take another port, or end what uses it',
      );
    }
    case 'privileged':
      return refused(
        `the kernel refuses ${port} to ordinary users: net.ipv4.ip_unprivileged_port_start is ${startOf(error)}`,
        `take a port from there on, or as root: sysctl -w net.ipv4.ip_unprivileged_port_start=${spec.parentPort}`,
      );
    case 'no-address':
      return refused(`the host has no address ${spec.parentIP}`, 'take one that it has: ip -brief address');
    case 'other':
      return refused(`RootlessKit refuses ${formatPortSpec(spec)}: ${error.message}`);
  }
}

/** RootlessKit says it, and it is the host's: where we run, in the namespaces perhaps, the sysctl may be another. */
function startOf({ said }: RootlessKitError): string {
  return /currently (\d+)/.exec(said)?.[1] ?? '1024';
}
