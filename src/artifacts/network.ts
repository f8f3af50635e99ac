import type { Agent } from 'node:http';
import fetch from 'node-fetch';
import { messageOf, U7sError } from '../lib/errors.js';

/** Milliseconds after which a host that has not answered counts as unreachable. */
const probeMs = 4000;

/** Why a host cannot be reached; undefined when it answers. */
export type Probe = (url: string) => Promise<string | undefined>;

/** Sends one request per host and run. Any answer at all means that downloads can be tried. */
export function createProbe(agent: (url: URL) => Agent, signal: AbortSignal): Probe {
  const asked = new Map<string, Promise<string | undefined>>();
  return (url) => {
    const { origin } = new URL(url);
    const known = asked.get(origin);
    if (known) return known;
    const answer = probe(url, agent, signal);
    asked.set(origin, answer);
    return answer;
  };
}

async function probe(
  url: string,
  agent: (url: URL) => Agent,
  signal: AbortSignal,
): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(probeMs);
  try {
    await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      agent,
      signal: AbortSignal.any([signal, timeout]),
    });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof U7sError) throw error; // the proxy variable is wrong: no host can be asked
    if (timeout.aborted) return `no answer within ${probeMs / 1000} s`;
    return messageOf(error).replace(/^request to \S+ failed, reason: /, '') || 'no connection';
  }
}
