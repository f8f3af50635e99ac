import type { ServiceDefinition } from '../supervisor/definition.js';
import type { ServiceContext } from './context.js';
import { etcd } from './etcd.js';
import { flannel } from './flannel.js';
import { kubeApiserver } from './kube-apiserver.js';
import { kubeControllerManager } from './kube-controller-manager.js';
import { kubeProxy } from './kube-proxy.js';
import { kubeScheduler } from './kube-scheduler.js';
import { kubelet } from './kubelet.js';
import type { Runtime } from './runtime.js';

const controlPlane = [etcd, kubeApiserver, kubeControllerManager, kubeScheduler];

/** All services of a node, by its role and by whether it has others beside it. */
export function nodeServices(context: ServiceContext, runtime: Runtime): ServiceDefinition[] {
  return [
    ...(context.role === 'control-plane' ? controlPlane.map((define) => define(context)) : []),
    ...runtime.services(context),
    kubelet(context, runtime),
    kubeProxy(context),
    ...(context.vxlanPort === undefined ? [] : [flannel(context, context.vxlanPort)]),
  ];
}
