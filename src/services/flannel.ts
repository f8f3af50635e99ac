import { join } from 'node:path';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import {
  afterApiServer,
  daemon,
  etcFile,
  flags,
  jsonFile,
  liveness,
  readiness,
  type ServiceContext,
} from './context.js';
import { flannelNetwork, networkFolder } from './pod-network.js';

const health = '127.0.0.1:8471';

/** Connects the pods of this node with those of other nodes: build/flannel. */
export function flannel(context: ServiceContext): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'flannel');
  const network = jsonFile(etcFile(context, 'flannel-network.json'), {
    Network: context.settings.podCidr,
    EnableNFTables: context.netfilter.backend === 'nftables',
    Backend: { Type: 'vxlan', Port: context.settings.flannelPort },
  });
  const template = jsonFile(etcFile(context, 'flannel-cni.json'), flannelNetwork(context));
  return daemon('flannel', {
    command: context.binary('flanneld'),
    args: flags({
      kubeconfig: kubeconfig.path,
      'node-name': context.settings.nodeName,
      'net-conf': network.path,
      iface: 'tap0',
      'public-ip': context.nodeAddress,
      'subnet-file': '/run/flannel/subnet.env',
      'cni-template': template.path,
      'cni-conf': join(networkFolder, '10-flannel.conflist'),
      healthz: health,
    }),
    files: [kubeconfig, network, template],
    dependsOn: afterApiServer(context, 'ready'),
    // It waits for the node's subnet as long as the control plane does not answer.
    ready: { type: 'http', url: `http://${health}/`, ...readiness, startupMs: 3_600_000 },
    // Whether it lives, not whether it is ready: while it waits for its subnet a restart would not help.
    live: { type: 'tcp', host: '127.0.0.1', port: 8471, ...liveness },
  });
}
