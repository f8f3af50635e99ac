import { logPath } from '../supervisor/log-file.js';
import type { GeneratedFile } from '../supervisor/definition.js';
import { etcFile, jsonFile, type ServiceContext } from './context.js';

/** The name by which `u7s logs` knows it. */
export const auditLog = 'audit';

/** Flags and file by which the API server records who asked it for what. */
export function audit(context: ServiceContext): {
  flags: Record<string, string | number | boolean>;
  files: GeneratedFile[];
} {
  const { auditLevel } = context.settings;
  if (auditLevel === 'none') return { flags: {}, files: [] };
  const policy = etcFile(context, 'audit-policy.json');
  return {
    flags: {
      'audit-policy-file': policy,
      'audit-log-path': logPath(context.logs, auditLog),
      // The least that the CIS benchmark asks for. Compressed they take a fifteenth.
      'audit-log-maxage': 30,
      'audit-log-maxbackup': 10,
      'audit-log-maxsize': 100,
      'audit-log-compress': true,
    },
    files: [jsonFile(policy, auditPolicy(auditLevel))],
  };
}

/** The first rule that applies to a request decides. */
export function auditPolicy(level: 'metadata' | 'request'): object {
  return {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    // What was asked for is in the record of the answer.
    omitStages: ['RequestReceived'],
    omitManagedFields: true,
    rules: [
      { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/openapi*', '/version'] },
      // The heartbeats of the node, several a second.
      { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
      { level: 'None', resources: [{ group: '', resources: ['events'] }, { group: 'events.k8s.io' }] },
      // What holds secrets or grants access is recorded whoever reads it, but never its content.
      {
        level: 'Metadata',
        resources: [
          { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
          { group: 'authentication.k8s.io' },
          { group: 'certificates.k8s.io' },
        ],
      },
      // The components look at everything all the time.
      { level: 'None', userGroups: ['system:nodes'], verbs: reading },
      { level: 'None', users: components, verbs: reading },
      { level: 'None', userGroups: ['system:serviceaccounts:kube-system'], verbs: reading },
      ...(level === 'request'
        ? [{ level: 'Request', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] }]
        : []),
      { level: 'Metadata' },
    ],
  };
}

const reading = ['get', 'list', 'watch'];

const components = [
  'system:apiserver',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:kube-proxy',
];
