import type { KubernetesPlan } from '../plan/types.js';
import { addonsWorker } from './addons.js';
import { bringUp } from './bring-up.js';
import { certificateRenewal } from './certificate-renewal.js';
import { manifests } from './manifests.js';
import { metricsApi } from './metrics-api.js';
import { nodeApprover } from './node-approver.js';
import { portPublisher } from './port-publisher.js';
import type { Worker } from './worker.js';

/** The workers of a node with Kubernetes. */
export function workersOf(plan: KubernetesPlan): Worker[] {
  return [
    bringUp(plan),
    ...(plan.publish === undefined ? [] : [portPublisher(plan.publish)]),
    ...(plan.metrics === undefined ? [] : [metricsApi(plan.metrics, plan.api)]),
    ...(plan.further === undefined
      ? []
      : [addonsWorker(plan.further, plan.api), manifests(plan.further.manifests, plan.api)]),
    ...(plan.approver === undefined ? [] : [nodeApprover(plan.approver)]),
    ...(plan.renewal === undefined ? [] : [certificateRenewal(plan.renewal)]),
  ];
}
