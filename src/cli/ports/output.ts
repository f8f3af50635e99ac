import type { RootlessKitInfo } from '../../rootless/api-client.js';
import type { PortSpec, PortStatus } from '../../rootless/port-spec.js';

/** What rootlessctl shows of a port, and in which order. */
export const portColumns = ['ID', 'PROTO', 'PARENTIP', 'PARENTPORT', 'CHILDIP', 'CHILDPORT'] as const;

export function portCells(
  id: number | undefined,
  { proto, parentIP, parentPort, childIP, childPort }: PortSpec,
): string[] {
  return [
    id === undefined ? '' : String(id),
    proto,
    parentIP,
    String(parentPort),
    childIP ?? '',
    String(childPort),
  ];
}

/** As upstream's rootlessctl prints it, blanks at line ends included: columns as wide as their widest cell and four more. */
export function rootlessctlTable(ports: readonly PortStatus[]): string {
  const lines = [[...portColumns], ...ports.map(({ id, spec }) => portCells(id, spec))];
  const widths = portColumns.map(
    (_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)) + 4,
  );
  return lines
    .map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}\n`)
    .join('');
}

/** RootlessKit's own JSON of a port: its order of keys, and nothing for what is empty. */
export function portJson({ id, spec }: PortStatus): string {
  const { proto, parentIP, parentPort, childPort, childIP } = spec;
  return JSON.stringify({
    id,
    spec: { proto, parentIP: parentIP || undefined, parentPort, childPort, childIP: childIP || undefined },
  });
}

export function infoText({ networkDriver, portDriver, ...info }: RootlessKitInfo): string {
  return [
    `- REST API version: ${info.apiVersion}`,
    `- Implementation version: ${info.version}`,
    `- State Directory: ${info.stateDir}`,
    `- Child PID: ${info.childPID}`,
    ...(networkDriver === undefined
      ? []
      : [`- Network Driver: ${networkDriver.driver}`, `  - DNS: ${goList(networkDriver.dns)}`]),
    ...(networkDriver?.childIP === undefined ? [] : [`  - IP: ${networkDriver.childIP}`]),
    ...(portDriver === undefined
      ? []
      : [`- Port Driver: ${portDriver.driver}`, `  - Supported protocols: ${goList(portDriver.protos)}`]),
  ].join('\n');
}

/** As Go prints a slice. */
function goList(values: readonly string[] = []): string {
  return `[${values.join(' ')}]`;
}
