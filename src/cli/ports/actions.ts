import { forgetPort, keepPort } from '../../launcher/client.js';
import { controlSocketBeside } from '../../settings/paths.js';
import { U7sError } from '../../lib/errors.js';
import { createPortClient, RootlessKitError } from '../../rootless/api-client.js';
import { explainRefusal } from '../../rootless/port-refusal.js';
import type { PortSpec, PortStatus } from '../../rootless/port-spec.js';

/**
 * Publishes `specs` in turn, saying each that is there, up to the first that cannot be had. Where RootlessKit is that of a
 * cluster of ours, its launcher is told to publish them at every start.
 */
export async function* addPorts(
  apiSocket: string,
  specs: readonly PortSpec[],
  signal: AbortSignal,
): AsyncGenerator<PortStatus> {
  const client = createPortClient(apiSocket);
  for (const spec of specs) {
    const status = await client.add(spec, signal).catch(async (error: unknown) => {
      if (!(error instanceof RootlessKitError)) throw error;
      throw await explainRefusal(error, spec, await client.list(signal));
    });
    await keepPort(controlSocketBeside(apiSocket), spec, signal);
    yield status;
  }
}

/** The opposite: takes `ids` away in turn, for this run and for later ones. */
export async function* removePorts(
  apiSocket: string,
  ids: readonly number[],
  signal: AbortSignal,
): AsyncGenerator<number> {
  const client = createPortClient(apiSocket);
  const specs = new Map((await client.list(signal)).map(({ id, spec }) => [id, spec]));
  for (const id of ids) {
    await client.remove(id, signal);
    const spec = specs.get(id);
    if (spec !== undefined) await forgetPort(controlSocketBeside(apiSocket), spec, signal);
    yield id;
  }
}

export function parsePortId(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  throw new U7sError('port-id', `${JSON.stringify(word)} is not the ID of a port`, {
    fixes: [{ text: 'list them', commands: [['list-ports']], program: 'rootlessctl' }],
  });
}
