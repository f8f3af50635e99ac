import { U7sError } from '../lib/errors.js';
import type { CommandFix, Fix } from '../lib/fixes.js';
import type { RootlessKitError } from './api-client.js';
import type { Problem } from './port.js';
import { portHolder } from './port-holder.js';
import { formatParent, formatPortSpec, portsConflict, type PortSpec, type PortStatus } from './port-spec.js';

/** How to end a published port, whoever asked for it. */
export const removal = (id: number): CommandFix => ({
  text: 'end that one',
  commands: [['remove-ports', String(id)]],
  program: 'rootlessctl',
});

/** That a published port is in the way. One of the cluster's `own` is not to be ended for another. */
export function conflictWith(spec: PortSpec, rival: PortStatus, own: readonly PortSpec[]): Problem {
  const isOwn = own.some((each) => formatPortSpec(each) === formatPortSpec(rival.spec));
  return {
    reason: `${formatParent(spec)} conflicts with a ${isOwn ? 'port of the cluster itself' : 'published port'}: ID ${rival.id}, ${formatPortSpec(rival.spec)}`,
    code: 'port-conflict',
    fixes: ['take another port', ...(isOwn ? [] : [removal(rival.id)])],
  };
}

/**
 * What RootlessKit's refusal means for whoever asked for `spec`: who has the port, or what the kernel demands. `live` are
 * the ports that RootlessKit has published, `own` those of the cluster itself.
 */
export async function explainRefusal(
  error: RootlessKitError,
  spec: PortSpec,
  live: readonly PortStatus[],
  own: readonly PortSpec[] = [],
): Promise<U7sError> {
  const refused = (code: string, message: string, ...fixes: Fix[]): U7sError =>
    new U7sError(code, message, { cause: error, fixes });
  const port = formatParent(spec);
  switch (error.reason) {
    case 'conflict':
    case 'in-use': {
      const rival = live.find((status) => portsConflict(status.spec, spec));
      if (rival !== undefined) {
        const { code, reason, fixes } = conflictWith(spec, rival, own);
        return refused(code, reason, ...fixes);
      }
      const holder = await portHolder(spec);
      return refused(
        'port-taken',
        `${port} is in use on the host${holder === undefined ? '' : ` by ${holder}`}`,
        'take another port, or stop the program that uses it',
      );
    }
    case 'privileged':
      return refused(
        'port-privileged',
        `the kernel refuses ${port} to ordinary users: net.ipv4.ip_unprivileged_port_start is ${startOf(error)}`,
        `take a port from there on, or lower the limit as root: sysctl -w net.ipv4.ip_unprivileged_port_start=${spec.parentPort}`,
      );
    case 'no-address':
      return refused(
        'no-such-address',
        `the host has no address ${spec.parentIP}`,
        'choose one of the host, which `ip -brief address` lists',
      );
    case 'other':
      return refused('port-refused', `RootlessKit refuses ${formatPortSpec(spec)}: ${error.message}`);
  }
}

/** In RootlessKit's words, since it runs on the host: in the namespaces, where we may run, the sysctl may differ. */
function startOf({ said }: RootlessKitError): string {
  return /currently (\d+)/.exec(said)?.[1] ?? '1024';
}
