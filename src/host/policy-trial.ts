import { runInNamespaces, type TrialUser } from './trial-namespace.js';
import type { Host } from './host.js';

/** Generous, since the host's speed is not on trial. */
const limitMs = 60_000;

/** What a node enforces NetworkPolicies with: the program, and how it is asked to try that. */
const script = (program: string): string =>
  `if said=$(${quoted(program)} --try 2>&1); then echo works; else printf '%s' "$said"; fi`;

/**
 * Why the kernel refuses an ordinary user's namespaces the rules of NetworkPolicies; undefined when it takes them.
 *
 * @param program path of network-policies
 * @param directory where a folder may be made for the trial
 */
export async function policyFault(
  host: Host,
  user: TrialUser,
  { program, directory }: { program: string; directory: string },
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(limitMs);
  const outcome = await runInNamespaces(host, user, { directory, script: script(program), signal });
  if (outcome.refused !== undefined) return outcome.refused;
  const said = outcome.printed.trim();
  return said === 'works' ? undefined : said || 'the trial ended early';
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
