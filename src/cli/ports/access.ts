import { instancePorts } from '../../launcher/client.js';
import { U7sError } from '../../lib/errors.js';
import { createPortClient, RootlessKitError } from '../../rootless/api-client.js';
import { explainRefusal } from '../../rootless/port-refusal.js';
import type { PortSpec, PortStatus } from '../../rootless/port-spec.js';
import { controlSocketBeside } from '../../settings/paths.js';
import { isServed } from '../../supervisor/control-socket.js';

/** The published ports of one RootlessKit. */
export type PortAccess = {
  list(signal: AbortSignal): Promise<PortStatus[]>;
  add(spec: PortSpec, signal: AbortSignal): Promise<PortStatus>;
  remove(id: number, signal: AbortSignal): Promise<void>;
};

/** By way of the launcher where RootlessKit is that of an instance of ours; a foreign one is asked itself. */
export async function portsBehind(apiSocket: string): Promise<PortAccess> {
  const control = controlSocketBeside(apiSocket);
  return (await isServed(control)) ? portsOfInstance(control) : foreignPorts(apiSocket);
}

export function portsOfInstance(controlSocket: string): PortAccess {
  const ports = instancePorts(controlSocket);
  return {
    ...ports,
    list: async (signal) =>
      (await ports.list(signal)).flatMap(({ id, spec }) => (id === undefined ? [] : [{ id, spec }])),
  };
}

function foreignPorts(apiSocket: string): PortAccess {
  const client = createPortClient(apiSocket);
  return {
    list: (signal) => client.list(signal),
    add: (spec, signal) =>
      client.add(spec, signal).catch(async (error: unknown) => {
        if (!(error instanceof RootlessKitError)) throw error;
        throw await explainRefusal(error, spec, await client.list(signal));
      }),
    remove: (id, signal) => client.remove(id, signal),
  };
}

export function parsePortId(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  throw new U7sError('port-id', `${JSON.stringify(word)} is not the ID of a port`, {
    fixes: [{ text: 'list them', commands: [['list-ports']], program: 'rootlessctl' }],
  });
}
