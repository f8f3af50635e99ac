import type { Agent } from 'node:http';
import fetch from 'node-fetch';
import { messageOf } from '../lib/errors.js';

/** Milliseconds a host has to answer before `auto` stops hoping for it. */
const probeMs = 4000;

/** Why a host cannot be reached, or undefined when it answers. */
export type Probe = (url: string) => Promise<string | undefined>;

/** One request per host and run; whatever the answer, a host that answers can be asked for a download. */
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
    if (timeout.aborted) return `no answer within ${probeMs / 1000} s`;
    return messageOf(error).replace(/^request to \S+ failed, reason: /, '') || 'no connection';
  }
}
