import { userInfo } from 'node:os';
import { join } from 'node:path';
import { installedArtifact } from '../../artifacts/resolve.js';
import { thisHost } from '../../host/host.js';
import type { NamespaceTrial } from '../../host/namespace-trial.js';
import { checkContext, preflightForUp, requireHost, type CheckContext } from '../../host/preflight.js';
import { hostNetworks, type HostNetwork } from '../../host/routes.js';
import { architecture } from '../../lib/architecture.js';
import type { HostFacts } from '../../plan/types.js';
import { chooseSnapshotter } from '../../plan/snapshotter.js';
import { runtimes } from '../../runtimes/table.js';
import { certificateFolders } from './registries.js';
import { movedText, type MovedNetwork } from '../../settings/networks-apart.js';
import { shadowed } from '../../settings/networks.js';
import type { Settings } from '../../settings/schema.js';
import { bundledArtifacts } from '../artifact-context.js';
import type { InstanceContext } from '../context.js';
import { requireNodePorts } from './node-ports.js';

/** The host as the checks see it, for the user who runs us. */
export async function hostContext(
  { env, projectRoot, paths }: HostOf,
  { api, dockerSocket }: Pick<CheckContext, 'api' | 'dockerSocket'>,
): Promise<CheckContext> {
  const { uid, gid, username } = userInfo();
  const context = await checkContext({
    env,
    uid,
    gid,
    userName: username,
    api,
    dockerSocket,
    node: { path: process.execPath, version: process.versions.node },
  });
  const slirp4netns = ownSlirp4netns(projectRoot, paths?.artifacts);
  if (slirp4netns === undefined) return context;
  const { host } = context;
  const which: typeof host.which = (program) =>
    program === 'slirp4netns' ? Promise.resolve(slirp4netns) : host.which(program);
  return { ...context, host: { ...host, which } };
}

/** Without a runtime directory there are no paths. */
type HostOf = Pick<InstanceContext, 'env' | 'projectRoot'> & { paths: InstanceContext['paths'] | undefined };

/** One that was downloaded or came in a bundle spares the host its own. */
function ownSlirp4netns(projectRoot: string, store: string | undefined): string | undefined {
  const bundled = bundledArtifacts(projectRoot);
  const own = { store: store ?? bundled, bundled, projectRoot, arch: architecture(), way: 'auto' } as const;
  return installedArtifact('slirp4netns', own)?.binaries['slirp4netns'];
}

/** Refuses a host on which the node could not start, fast enough for every start; returns what was tried on it. */
export async function checkHost(context: InstanceContext, spec: Settings): Promise<NamespaceTrial> {
  const { apiAddress, apiPort, controlPlane, kubernetes, runtime } = spec;
  const host = await hostContext(context, {
    api: kubernetes && controlPlane === undefined ? { address: apiAddress, port: apiPort } : undefined,
    dockerSocket: runtimes[runtime].engine === undefined ? undefined : context.paths.dockerSocket,
  });
  requireHost(await preflightForUp(host));
  const trial = await host.namespaceTrial();
  await requireNodePorts(spec);
  return trial;
}

/** What the plan has to know about the host, from what was tried on it. */
export async function hostFacts(
  context: InstanceContext,
  settings: Settings,
  { netfilter, faults }: NamespaceTrial,
  cgroups: HostFacts['cgroups'],
): Promise<HostFacts> {
  if (netfilter === undefined) throw new Error('the host was found ready without a packet filter');
  return {
    cgroups,
    snapshotter: chooseSnapshotter(faults, context.report),
    netfilter,
    uid: userInfo().uid,
    node: process.execPath,
    takeBackPorts: context.entries.takeBackPorts,
    registryCredentials: context.entries.registryCredentials,
    dockerLogins: join(context.dockerConfig, 'config.json'),
    certificateFolders: await certificateFolders(context.paths),
    engineOptions: (await runtimes[settings.runtime].engine?.readOptions(context.paths.runtimeConfig)) ?? {},
  };
}

/** For an instance that is new: the networks of the host, and a line for each of the instance's that keeps clear of them. */
export async function hostNetworksToAvoid({ env, report }: Pick<InstanceContext, 'env' | 'report'>): Promise<{
  networks: HostNetwork[];
  tell: (moved: MovedNetwork) => void;
}> {
  const networks = await hostNetworks(thisHost(env));
  return { networks, tell: (moved) => report({ kind: 'note', text: movedText(moved) }) };
}

/** Warns of networks of the host that the node hides from its pods. */
export async function warnOfShadows({ env, report }: InstanceContext, settings: Settings): Promise<void> {
  const used = [
    ...(settings.kubernetes ? (['podCidr', 'serviceCidr'] as const) : []),
    ...(runtimes[settings.runtime].engine?.networks ?? []),
    'nodeSubnet' as const,
  ];
  for (const warning of shadowed(settings, used, await hostNetworks(thisHost(env)))) report(warning);
}
