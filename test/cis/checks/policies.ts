import { check, notApplicable, passBecause, passIf, type Check } from '../check.js';
import type { RunningCluster } from '../cluster.js';

type Subject = { kind: string; name: string; namespace?: string };
type Binding = { metadata: { name: string }; roleRef: { name: string }; subjects?: Subject[] };
type Rule = { apiGroups?: string[]; resources?: string[]; verbs: string[] };
type Role = { metadata: { name: string; labels?: Record<string, string> }; rules?: Rule[] };
type Pod = {
  metadata: { name: string; namespace: string };
  spec: {
    serviceAccountName?: string;
    automountServiceAccountToken?: boolean;
    containers: { env?: { valueFrom?: { secretKeyRef?: object } }[]; securityContext?: object }[];
  };
};
type List<T> = { items: T[] };
const rbac = '/apis/rbac.authorization.k8s.io/v1';

const isBuiltIn = ({ metadata }: { metadata: { labels?: Record<string, string> } }): boolean =>
  metadata.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults';

/** The roles that are not Kubernetes' own and allow one of the verbs on one of the resources. */
async function rolesThat(
  { get }: RunningCluster,
  verbs: readonly string[],
  resources: readonly string[],
): Promise<string[]> {
  const roles = [
    ...(await get<List<Role>>(`${rbac}/clusterroles`)).items,
    ...(await get<List<Role>>(`${rbac}/roles`)).items,
  ];
  const names = (given: readonly string[] | undefined, wanted: readonly string[]): boolean =>
    given?.some((each) => each === '*' || wanted.includes(each)) ?? false;
  return roles
    .filter((role) => !isBuiltIn(role) && !role.metadata.name.startsWith('system:controller:'))
    .filter(({ rules = [] }) =>
      rules.some((rule) => names(rule.verbs, verbs) && names(rule.resources, resources)),
    )
    .map(({ metadata }) => metadata.name);
}

const noRoleMay =
  (verbs: string[], resources: string[], allowed: Record<string, string> = {}) =>
  async (cluster: RunningCluster) => {
    const found = await rolesThat(cluster, verbs, resources);
    const others = found.filter((name) => !(name in allowed));
    if (others.length > 0) return passIf(false, others.join(', '));
    const reasons = found.flatMap((name) => allowed[name] ?? []);
    return { status: 'pass' as const, ...(reasons.length === 0 ? {} : { reason: reasons.join('; ') }) };
  };

const pods = async ({ get }: RunningCluster): Promise<Pod[]> => (await get<List<Pod>>('/api/v1/pods')).items;

/** Whether the API refuses a pod like this in a namespace that has no label. */
const refused =
  (spec: object, container: object = {}) =>
  async ({ statusOf }: RunningCluster) => {
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'cis-probe' },
      spec: { containers: [{ name: 'a', image: 'a', ...container }], ...spec },
    };
    const status = await statusOf('POST', '/api/v1/namespaces/default/pods?dryRun=All', body);
    return passIf(
      status === 403,
      '`--pod-security` baseline or restricted refuses it; the default lets usual charts run',
    );
  };
const security = (context: object) => refused({}, { securityContext: context });

const yours = notApplicable('it is up to what you run');

export const policies: readonly Check[] = [
  check('5.1.1', 'cluster-admin is only used where required', async ({ get }) => {
    const { items } = await get<List<Binding>>(`${rbac}/clusterrolebindings`);
    const subjects = items
      .filter(({ roleRef }) => roleRef.name === 'cluster-admin')
      .flatMap(({ subjects = [] }) => subjects);
    return passIf(
      subjects.every(({ name }) => name === 'system:masters'),
      subjects.map(({ name }) => name).join(', '),
    );
  }),
  check('5.1.2', 'few may read Secrets', noRoleMay(['get', 'list', 'watch'], ['secrets'])),
  check('5.1.3', 'no role of ours has wildcards', async ({ get }) => {
    const { items } = await get<List<Role>>(`${rbac}/clusterroles`);
    const wild = items
      .filter((role) => !isBuiltIn(role))
      .filter(({ rules = [] }) =>
        rules.some((rule) =>
          [...rule.verbs, ...(rule.resources ?? []), ...(rule.apiGroups ?? [])].includes('*'),
        ),
      );
    return passIf(wild.length === 0, wild.map(({ metadata }) => metadata.name).join(', '));
  }),
  check('5.1.4', 'few may make pods', noRoleMay(['create'], ['pods'])),
  check('5.1.5', 'nobody uses the default service accounts', async (cluster) => {
    const bindings = [
      ...(await cluster.get<List<Binding>>(`${rbac}/clusterrolebindings`)).items,
      ...(await cluster.get<List<Binding>>(`${rbac}/rolebindings`)).items,
    ];
    const bound = bindings.filter(({ subjects = [] }) =>
      subjects.some(({ kind, name }) => kind === 'ServiceAccount' && name === 'default'),
    );
    const using = (await pods(cluster)).filter(
      ({ spec }) => (spec.serviceAccountName ?? 'default') === 'default',
    );
    return passIf(
      bound.length + using.length === 0,
      [...bound, ...using].map(({ metadata }) => metadata.name).join(', '),
    );
  }),
  check('5.1.6', 'pods have tokens only where they need them', async (cluster) => {
    const with_ = (await pods(cluster)).filter(({ spec }) => spec.automountServiceAccountToken !== false);
    const needing = with_.filter(({ spec }) => (spec.serviceAccountName ?? 'default') !== 'default');
    return passIf(with_.length === needing.length);
  }),
  check('5.1.7', 'system:masters is not used', () => ({
    status: 'fail',
    reason:
      'the administrator is in it: the same account holds the authority’s key, so that a weaker administrator would protect nothing, and could lock its owner out',
  })),
  check(
    '5.1.8',
    'few may bind, escalate or impersonate',
    noRoleMay(
      ['bind', 'escalate', 'impersonate'],
      ['*', 'roles', 'clusterroles', 'users', 'groups', 'serviceaccounts'],
    ),
  ),
  check(
    '5.1.9',
    'few may make persistent volumes',
    noRoleMay(['create'], ['persistentvolumes'], {
      'usernetes:local-storage': 'the provisioner of the default storage class',
    }),
  ),
  check(
    '5.1.10',
    'few may use the kubelet through nodes/proxy',
    noRoleMay(['get', 'create'], ['nodes/proxy']),
  ),
  check(
    '5.1.11',
    'few may approve certificates',
    noRoleMay(['update', 'patch'], ['certificatesigningrequests/approval'], {
      'usernetes:node-approver': 'the approver of nodes, which answers three signers',
    }),
  ),
  check(
    '5.1.12',
    'few may change webhooks',
    noRoleMay(
      ['create', 'update', 'patch'],
      ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    ),
  ),
  check('5.1.13', 'few may make tokens', noRoleMay(['create'], ['serviceaccounts/token'])),
  check('5.2.1', 'a policy for pods is active', async ({ get }) => {
    const metrics = await get<string>('/metrics');
    return passBecause(
      /pod_security_evaluations_total/.test(metrics),
      'Pod Security admission, by the setting `podSecurity` and labels of namespaces',
    );
  }),
  check('5.2.2', 'no privileged containers', security({ privileged: true })),
  check('5.2.3', 'none with the PIDs of the node', refused({ hostPID: true })),
  check('5.2.4', 'none with the IPC of the node', refused({ hostIPC: true })),
  check('5.2.5', 'none with the network of the node', refused({ hostNetwork: true })),
  check('5.2.6', 'no privilege escalation', security({ allowPrivilegeEscalation: true })),
  check('5.2.7', 'no root', security({ runAsUser: 0 })),
  check('5.2.8', 'no NET_RAW', security({ capabilities: { add: ['NET_RAW'] } })),
  check('5.2.9', 'no capabilities', security({ capabilities: { add: ['CHOWN'] } })),
  check('5.2.10', 'no Windows HostProcess containers', notApplicable('nodes run Linux')),
  check('5.2.11', 'no hostPath', refused({ volumes: [{ name: 'a', hostPath: { path: '/' } }] })),
  check('5.2.12', 'no host ports', refused({}, { ports: [{ containerPort: 80, hostPort: 8080 }] })),
  check('5.3.1', 'network policies are enforced', (cluster) =>
    passIf(Object.keys(cluster.flagsOf('network-policies')).length > 0, 'nothing enforces them yet'),
  ),
  check('5.3.2', 'every namespace has network policies', yours),
  check('5.4.1', 'Secrets are files rather than variables', async (cluster) => {
    const found = (await pods(cluster)).filter(({ spec }) =>
      spec.containers.some(({ env = [] }) =>
        env.some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined),
      ),
    );
    return passIf(found.length === 0, found.map(({ metadata }) => metadata.name).join(', '));
  }),
  check(
    '5.4.2',
    'Secrets are kept outside',
    notApplicable('they are encrypted in etcd, and both are in one folder of one account'),
  ),
  check('5.5.1', 'a webhook decides on images', yours),
  check('5.6.1', 'namespaces divide', yours),
  check('5.6.2', 'pods have a seccomp profile', (cluster) =>
    passIf(cluster.kubelet['seccompDefault'] === true),
  ),
  check('5.6.3', 'pods have a security context', async (cluster) => {
    const own = (await pods(cluster)).filter(({ metadata }) => metadata.namespace === 'kube-system');
    return passIf(
      own.every(({ spec }) => spec.containers.every(({ securityContext }) => securityContext !== undefined)),
    );
  }),
  check('5.6.4', 'the namespace default is not used', async (cluster) =>
    passIf(!(await pods(cluster)).some(({ metadata }) => metadata.namespace === 'default')),
  ),
];
