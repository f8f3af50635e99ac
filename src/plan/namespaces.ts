import { dirname, join } from 'node:path';
import { registryFiles } from '../images/registries/render.js';
import { namespaceSetup, type RuntimePlace } from '../rootless/child.js';
import { rootlessKitCommand } from '../rootless/parent.js';
import type { View } from '../rootless/view.js';
import { dnsAddressIn, hostAddressIn } from '../rootless/network.js';
import { formatPortSpec } from '../rootless/port-spec.js';
import type { Runtime } from '../runtimes/runtime.js';
import { runtimes } from '../runtimes/table.js';
import { systemPath } from '../services/context.js';
import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';
import { binaryOf, type Artifacts } from './artifacts.js';
import { doorsFolder, doorsOf } from './doors.js';
import { proxyText } from '../settings/proxy.js';
import { builtInPorts } from './built-in-ports.js';
import type { EnginePlan, HostFacts, NamespacePlan } from './types.js';

/**
 * For slirp4netns. Buffers of long-lived connections pin the heap of glibc, which by default takes larger ones from it the longer a
 * process runs: after thousands of connections 1.5 GB were never given back, with this 23 MB.
 */
const givesMemoryBack = 'glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=65536';

/** RootlessKit, what is set up in its namespaces, and the ports of the host that are forwarded into them. */
export function planNamespaces(
  settings: Settings,
  paths: Paths,
  artifacts: Artifacts,
  host: HostFacts,
  supervise: string[],
): NamespacePlan {
  const binary = binaryOf(artifacts);
  const runtime = runtimes[settings.runtime];
  const engine = runtime.engine === undefined ? undefined : enginePlan(paths);
  const proxy = proxyText(settings);
  const builtIn = settings.kubernetes ? builtInPorts(settings) : [];
  return {
    cluster: settings.name,
    preset: settings.preset,
    rootlesskit: {
      ...rootlessKitCommand({
        rootlesskit: binary('rootlesskit'),
        slirp4netns: binary('slirp4netns'),
        stateDir: paths.rootlesskit,
        mtu: settings.mtu,
        cidr: settings.nodeSubnet,
        publish: builtIn.map(({ spec: port }) => formatPortSpec(port)),
        cgroups: host.cgroups,
        child: supervise,
      }),
      env: {
        PATH: systemPath,
        HOME: paths.home,
        XDG_RUNTIME_DIR: dirname(paths.runtime),
        GLIBC_TUNABLES: givesMemoryBack,
      },
      cwd: paths.state,
    },
    ...(proxy === undefined ? {} : { proxy }),
    hostAccess: settings.hostAccess,
    setup: namespaceSetup(paths, placeOf(runtime, paths), viewOf(paths, engine), host.netfilter, {
      hostAddress: hostAddressIn(settings.nodeSubnet),
      doors: doorsOf(settings, paths),
      dns: { address: dnsAddressIn(settings.nodeSubnet), folder: paths.dns },
      ...(settings.hostIp === undefined ? {} : { hostIp: settings.hostIp }),
      ...(settings.kubernetes ? { serviceCidr: settings.serviceCidr } : {}),
      linkLocal: settings.linkLocal,
    }),
    logs: paths.logs,
    readyFile: paths.ready,
    runtimeDir: paths.runtime,
    rootlesskitDir: paths.rootlesskit,
    controlSocket: paths.controlSocket,
    ...(engine === undefined ? {} : { engine }),
    lock: paths.lock,
    cgroups: host.cgroups,
    ports: {
      apiSocket: paths.apiSocket,
      record: paths.ports,
      builtIn,
      config: settings.publish,
      runtimePublishes: engine !== undefined,
    },
  };
}

/** The folders of a runtime are in the state folder of the instance. */
function placeOf({ namespaces, engine }: Runtime, paths: Paths): RuntimePlace {
  const { state, runtimeConfig, dockerSocket } = paths;
  const usual = engine === undefined ? [] : [engine.usualSocket];
  const links: [path: string, target: string][] = [
    ...Object.entries(namespaces.links ?? {}).map(([path, name]): [string, string] => [
      path,
      join(runtimeConfig, name),
    ]),
    ...Object.entries(namespaces.registryLinks ?? {}).map(([path, name]): [string, string] => [
      path,
      registryFiles(paths.registries)[name],
    ]),
    ...usual.map((path): [string, string] => [path, dockerSocket]),
  ];
  return {
    remove: [...namespaces.remove, ...usual],
    binds: Object.entries(namespaces.binds).map(([target, folder]) => ({
      source: join(state, folder),
      target,
    })),
    links: Object.fromEntries(links),
  };
}

function enginePlan({ engine, engineSocket, dockerSocket, takeBackSocket }: Paths): EnginePlan {
  return { folder: engine, socket: engineSocket, link: dockerSocket, takeBack: takeBackSocket };
}

/**
 * Of the account's instances a node sees its own, without the sockets by which the launcher and RootlessKit are commanded.
 * An engine is given RootlessKit's, to publish ports, and a folder that it shares with the host.
 */
function viewOf(paths: Paths, engine: EnginePlan | undefined): View {
  const { artifacts, launchers, images } = paths;
  const ofEngine = engine === undefined ? [] : [engine.folder, engine.link, paths.rootlesskit];
  const needed = [
    paths.home,
    paths.state,
    artifacts,
    launchers,
    images,
    paths.runtimeConfig,
    doorsFolder(paths),
    paths.dns,
    ...ofEngine,
  ];
  const hidden = [dirname(paths.runtime), dirname(paths.state)].map((folder) => ({
    folder,
    keep: needed.filter((path) => path.startsWith(`${folder}/`)),
  }));
  // A kubectl that is run in there finds this cluster, and no key of another.
  const kube = { folder: join(paths.home, '.kube'), keep: [], links: { config: paths.adminKubeconfig } };
  return { hidden: [...hidden, kube], readOnly: [artifacts, launchers, images] };
}
