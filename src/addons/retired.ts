import type { KubeObject } from '../kube/object.js';

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };

/** What earlier versions applied and this one does not: a right that nobody uses must not stay with whoever held it. */
export const retired: readonly KubeObject[] = ['ClusterRoleBinding', 'ClusterRole'].map((kind) => ({
  ...rbac,
  kind,
  metadata: { name: 'usernetes:node-port-publisher' },
}));
