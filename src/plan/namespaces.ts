import { dirname, join } from 'node:path';
import { namespaceSetup, type RuntimePlace } from '../rootless/child.js';
import { rootlessKitCommand } from '../rootless/parent.js';
import { formatPortSpec } from '../rootless/port-spec.js';
import type { Runtime } from '../runtimes/runtime.js';
import { runtimes } from '../runtimes/table.js';
import { systemPath } from '../services/context.js';
import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';
import { binaryOf, type Artifacts } from './artifacts.js';
import { builtInPorts } from './built-in-ports.js';
import type { HostFacts, NamespacePlan } from './types.js';

/** RootlessKit, what is set up in its namespaces, and the ports of the host that are forwarded into them. */
export function planNamespaces(
  settings: Settings,
  paths: Paths,
  artifacts: Artifacts,
  host: HostFacts,
  supervise: string[],
): NamespacePlan {
  const binary = binaryOf(artifacts);
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
      env: { PATH: systemPath, HOME: paths.home, XDG_RUNTIME_DIR: dirname(paths.runtime) },
      cwd: paths.state,
    },
    setup: namespaceSetup(paths, placeOf(runtimes[settings.runtime], paths), host.netfilter, {
      ...(settings.hostIp === undefined ? {} : { hostIp: settings.hostIp }),
      ...(settings.kubernetes ? { serviceCidr: settings.serviceCidr } : {}),
      linkLocal: settings.linkLocal,
    }),
    logs: paths.logs,
    readyFile: paths.ready,
    runtimeDir: paths.runtime,
    rootlesskitDir: paths.rootlesskit,
    controlSocket: paths.controlSocket,
    ...(runtimes[settings.runtime].engine === undefined ? {} : { dockerSocket: paths.dockerSocket }),
    lock: paths.lock,
    cgroups: host.cgroups,
    ports: {
      apiSocket: paths.apiSocket,
      record: paths.ports,
      builtIn,
      config: settings.publish,
      runtimePublishes: runtimes[settings.runtime].engine !== undefined,
    },
  };
}

/** The folders of a runtime are in the state folder of the instance. */
function placeOf({ namespaces }: Runtime, { state, runtimeConfig }: Paths): RuntimePlace {
  return {
    remove: [...namespaces.remove],
    binds: Object.entries(namespaces.binds).map(([target, folder]) => ({
      source: join(state, folder),
      target,
    })),
    links: Object.fromEntries(
      Object.entries(namespaces.links ?? {}).map(([path, name]) => [path, join(runtimeConfig, name)]),
    ),
  };
}
