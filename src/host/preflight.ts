import { U7sError, messageOf } from '../lib/errors.js';
import { distinctFixes } from '../lib/fixes.js';
import { detectCgroups } from './cgroup.js';
import { prepare, warning, type Check, type CheckContext, type CheckDefinition } from './check.js';
import { accountChecks } from './checks/account.js';
import { kernelChecks } from './checks/kernel.js';
import { namespaceChecks } from './checks/namespaces.js';
import { networkChecks } from './checks/network.js';
import { resourceChecks } from './checks/resources.js';
import { toolChecks } from './checks/tools.js';
import { thisHost } from './host.js';
import { tryNamespace } from './namespace-trial.js';
import { readSubIds, subIdsOf } from './subid.js';
import { resolveHomeDirs, resolveRuntimeDir } from './user-dirs.js';

export type { Check, CheckContext } from './check.js';

const checks = [
  ...accountChecks,
  ...toolChecks,
  ...namespaceChecks,
  ...networkChecks,
  ...kernelChecks,
  ...resourceChecks,
];

export type PreflightRequest = {
  env: Record<string, string | undefined>;
  uid: number;
  gid: number;
  userName: string;
  /** Where the API would be published; undefined while the user's own instance listens there. */
  api: { address: string; port: number } | undefined;
  /** Where dockerd would listen; undefined without one. */
  dockerSocket: string | undefined;
  node: { path: string; version: string };
};

/** What the checks look at, on this machine. */
export async function checkContext(request: PreflightRequest): Promise<CheckContext> {
  const { env, uid, gid, userName } = request;
  const host = thisHost(env);
  const [subUids, subGids] = await Promise.all(
    (['/etc/subuid', '/etc/subgid'] as const).map(async (file) =>
      subIdsOf(await readSubIds(host, file), { name: userName, uid }),
    ),
  );
  const user = { name: userName, uid, gid, subUids: subUids ?? [], subGids: subGids ?? [] };
  const { home, dataHome, stateHome } = resolveHomeDirs(env);
  let trial: ReturnType<typeof tryNamespace> | undefined;
  return {
    host,
    env,
    user,
    home,
    dataHome,
    stateHome,
    api: request.api,
    dockerSocket: request.dockerSocket,
    node: request.node,
    now: Date.now(),
    cgroups: () => detectCgroups(env),
    runtimeDir: () => resolveRuntimeDir(env, uid),
    namespaceTrial: () => (trial ??= tryNamespace(host, user, stateHome)),
  };
}

/** Every check, in the order they are shown. */
export async function preflight(context: CheckContext): Promise<Check[]> {
  return Promise.all(checks.map((check) => lookAt(check, context)));
}

/** What every start checks: the quick ones of those that can block it. */
export async function preflightForUp(context: CheckContext): Promise<Check[]> {
  return Promise.all(checks.filter(({ atStart }) => atStart).map((check) => lookAt(check, context)));
}

/** Throws one error that lists everything that blocks, with the fixes of each. */
export function requireHost(findings: Check[]): void {
  const blocking = findings.filter(({ status }) => status === 'blocked');
  if (blocking.length === 0) return;
  const lines = blocking.map(({ title, found, why }) => `  ${title}: ${found} (${why})`);
  throw new U7sError('host-not-ready', `this host is not ready for a node:\n${lines.join('\n')}`, {
    fixes: distinctFixes(blocking.flatMap(({ fixes }) => fixes)),
  });
}

async function lookAt({ id, title, why, look }: CheckDefinition, context: CheckContext): Promise<Check> {
  try {
    const { status, found, fixes } = await look(context);
    return { id, title, status, found, why, fixes };
  } catch (error) {
    return { id, title, why, ...warning(`cannot be checked: ${messageOf(error)}`, prepare) };
  }
}
