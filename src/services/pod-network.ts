import { join } from 'node:path';
import type { GeneratedFile } from '../supervisor/definition.js';
import { jsonFile, type ServiceContext } from './context.js';

/** Where container runtimes look for the pods' network. It is empty whenever the namespaces are new. */
export const networkFolder = '/run/usernetes/cni/net.d';

/** What the node's pods are on. */
export const podBridge = 'cni0';

/** What a runtime finds there when it starts. With several nodes that is nothing, until Flannel knows this node's subnet. */
export function networkConfigurations(context: ServiceContext): GeneratedFile[] {
  if (context.settings.severalNodes) return [];
  const network = bridgeNetwork(context, {
    subnet: context.settings.podCidr,
    // That of the tap, so that no packet is cut on its way out.
    mtu: context.settings.mtu,
    ipMasq: true,
  });
  return [jsonFile(join(networkFolder, '10-bridge.conflist'), network)];
}

/** The same with this node's subnet, which build/flannel fills in. */
export function flannelNetwork(context: ServiceContext): object {
  const routes = [{ dst: '$NETWORK' }];
  return bridgeNetwork(context, { subnet: '$SUBNET', mtu: '$MTU', ipMasq: false }, routes);
}

/** Pods on one bridge. */
function bridgeNetwork(
  { netfilter }: ServiceContext,
  { subnet, mtu, ipMasq }: { subnet: string; mtu: number | '$MTU'; ipMasq: boolean },
  routes?: { dst: string }[],
): object {
  return {
    cniVersion: '1.0.0',
    name: 'usernetes',
    plugins: [
      {
        type: 'bridge',
        bridge: podBridge,
        mtu,
        isGateway: true,
        isDefaultGateway: true,
        ipMasq,
        ipMasqBackend: netfilter.backend,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet }]], ...(routes === undefined ? {} : { routes }) },
      },
      { type: 'portmap', backend: netfilter.backend, capabilities: { portMappings: true } },
    ],
  };
}
