import type { ServiceDefinition } from '../supervisor/definition.js';
import { etcd } from '../services/etcd.js';
import { flannel } from '../services/flannel.js';
import { kubeApiserver } from '../services/kube-apiserver.js';
import { kubeControllerManager } from '../services/kube-controller-manager.js';
import { kubeProxy } from '../services/kube-proxy.js';
import { kubeScheduler } from '../services/kube-scheduler.js';
import { kubelet } from '../services/kubelet.js';
import { localStorage } from '../services/local-storage.js';
import { metrics } from '../services/metrics.js';
import { networkPolicies } from '../services/network-policies.js';
import { hasFeature } from '../settings/features.js';
import type { Runtime, RuntimeContext } from '../runtimes/runtime.js';

const controlPlane = [etcd, kubeApiserver, kubeControllerManager, kubeScheduler];

/** All services of a node, by its role and by whether the cluster has other nodes. */
export function nodeServices(context: RuntimeContext, runtime: Runtime): ServiceDefinition[] {
  return [
    ...(context.role === 'control-plane' ? controlPlane.map((define) => define(context)) : []),
    ...runtime.services(context),
    kubelet(context, runtime),
    kubeProxy(context),
    ...(context.settings.severalNodes ? [flannel(context)] : []),
    ...(hasFeature(context.settings, 'storage') ? [localStorage(context)] : []),
    ...(hasFeature(context.settings, 'metrics') ? [metrics(context, runtime)] : []),
    ...(hasFeature(context.settings, 'netpol') ? [networkPolicies(context)] : []),
  ];
}
