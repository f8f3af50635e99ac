import { dirname } from 'node:path';
import { registryFiles } from '../images/registries/render.js';
import type { RuntimeContext } from '../runtimes/runtime.js';
import { tapAddressIn } from '../rootless/network.js';
import type { Paths } from '../settings/paths.js';
import { roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';
import { binaryOf, type Artifacts } from './artifacts.js';
import type { HostFacts, Made } from './types.js';

/** What all services of the node are made from. */
export function serviceContext(
  settings: Settings,
  paths: Paths,
  artifacts: Artifacts,
  host: HostFacts,
  { images, further }: Pick<Made, 'images' | 'further'>,
): RuntimeContext {
  const { cgroups, snapshotter, netfilter } = host;
  return {
    settings,
    cgroups,
    snapshotter,
    netfilter,
    role: roleOf(settings),
    nodeAddress: settings.hostIp ?? tapAddressIn(settings.nodeSubnet),
    apiServer: settings.controlPlane ?? `https://127.0.0.1:${settings.apiPort}`,
    pauseImage: images?.pause.reference ?? '',
    images: [...Object.values(images ?? {}), ...(further?.images ?? [])],
    binary: binaryOf(artifacts),
    pki: paths.pki,
    etc: paths.etc,
    runtimeConfig: paths.runtimeConfig,
    registries: registryFiles(paths.registries),
    credentialPrograms: dirname(host.node),
    etcdData: paths.etcd,
    logs: paths.logs,
    engineSocket: paths.engineSocket,
    engineOptions: host.engineOptions,
    engineCidr: settings.dockerCidr,
    publishAddress: settings.publishAddress,
    user: { uid: host.uid, home: paths.home },
    rootlesskitDir: paths.rootlesskit,
    takeBackPorts: { command: host.node, args: [host.takeBackPorts, paths.takeBackSocket] },
  };
}
