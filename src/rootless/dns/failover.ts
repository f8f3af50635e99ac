import { headerBytes, type Exchange } from './exchange.js';

/** Asks one of several servers. Undefined when none of them answers. */
export type Ask = (
  query: Buffer,
  servers: readonly string[],
  exchange: Exchange,
) => Promise<Buffer | undefined>;

export type Patience = {
  /** So long the next server waits for the one before it. */
  nextMs: number;
  /** After that nobody is waited for any more. */
  allMs: number;
  /** So long one that was silent is asked last. */
  graceMs: number;
};

/** A client gives up after two seconds (CoreDNS) to five (the C library). */
const usualPatience: Patience = { nextMs: 1_000, allMs: 6_000, graceMs: 30_000 };

/** So many servers at most: a client would not wait for more. */
const mostServers = 6;

/**
 * The servers are asked in their order, each as soon as the one before has failed or was silent for a moment. A server that
 * stays silent while another answers is asked last for a while, so that only the first question waits for it.
 */
export function createFailover(
  patience: Patience = usualPatience,
  now: () => number = Date.now,
): {
  ask: Ask;
  /** Those that did not answer lately. */
  silent: (servers: readonly string[]) => string[];
} {
  const silentUntil = new Map<string, number>();
  const isSilent = (server: string): boolean => (silentUntil.get(server) ?? 0) > now();
  const inOrder = (servers: readonly string[]): string[] =>
    [...servers.filter((each) => !isSilent(each)), ...servers.filter(isSilent)].slice(0, mostServers);

  const ask: Ask = (query, servers, exchange) =>
    new Promise((resolve) => {
      const waiting = inOrder(servers);
      const asked = new Set<string>();
      const over = new AbortController();
      let worse: Buffer | undefined;

      const end = (answer: Buffer | undefined): void => {
        if (over.signal.aborted) return;
        clearTimeout(limit);
        if (answer !== undefined) for (const each of asked) silentUntil.set(each, now() + patience.graceMs);
        over.abort();
        resolve(answer);
      };
      const askNext = (): void => {
        if (over.signal.aborted) return;
        const server = waiting.shift();
        if (server === undefined) {
          if (asked.size === 0) end(worse);
          return;
        }
        asked.add(server);
        const timer = setTimeout(askNext, patience.nextMs);
        exchange(server, query, over.signal)
          .then((answer) => {
            asked.delete(server);
            silentUntil.delete(server);
            if (isUseful(answer)) return end(answer);
            worse ??= answer;
            askNext();
          })
          .catch(() => {
            if (over.signal.aborted) return;
            asked.delete(server);
            silentUntil.set(server, now() + patience.graceMs);
            askNext();
          })
          .finally(() => clearTimeout(timer));
      };
      const limit = setTimeout(() => end(worse), patience.allMs);
      askNext();
    });
  return { ask, silent: (servers) => servers.filter(isSilent) };
}

const noError = 0;
const noSuchName = 3;

/** A server that failed, or refuses to answer, says nothing of the name. */
function isUseful(answer: Buffer): boolean {
  if (answer.length < headerBytes) return false;
  const code = answer.readUInt8(3) & 0x0f;
  return code === noError || code === noSuchName;
}
