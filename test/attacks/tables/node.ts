import { readdir } from 'node:fs/promises';
import { from, type Attack, type Door } from '../attack.js';
import type { Ground } from '../ground.js';
import type { HttpQuestion } from '../hand-agent.js';
import { anyClient, askForCertificate, kubeletClient, kubeletServer, type Wanted } from '../signing.js';

const node = from('node');

/** By the kubelet's certificate of the node that has joined, which is u7s-attack-h2. */
async function asKubelet(ground: Ground, path: string, more: Partial<HttpQuestion> = {}): Promise<string> {
  const { hand, keys } = await ground.node();
  return hand.status(ground.api(path, { ...more, ...(await keys('kubelet')) }));
}

const json = (method: string, body: object): Partial<HttpQuestion> => ({
  method,
  body: JSON.stringify(body),
  headers: {
    'content-type': method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json',
  },
});

const asked: [string, string, Partial<HttpQuestion>?][] = [
  ['lists all Secrets', '/api/v1/secrets'],
  ['lists Secrets of kube-system', '/api/v1/namespaces/kube-system/secrets'],
  ['reads a Secret of no pod of its own', '/api/v1/namespaces/kube-system/secrets/foreign'],
  ['lists all ConfigMaps', '/api/v1/configmaps'],
  ['lists roles', '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
  ['lists service accounts', '/api/v1/serviceaccounts'],
  ['deletes another node', '/api/v1/nodes/u7s-attack-h1', { method: 'DELETE' }],
  [
    'changes the status of another node',
    '/api/v1/nodes/u7s-attack-h1/status',
    json('PATCH', { status: { phase: 'Running' } }),
  ],
  [
    'labels another node',
    '/api/v1/nodes/u7s-attack-h1',
    json('PATCH', { metadata: { labels: { 'example.com/x': 'y' } } }),
  ],
  [
    'gives itself the label of a control plane',
    '/api/v1/nodes/u7s-attack-h2',
    json('PATCH', { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } }),
  ],
  [
    'gives itself a restricted label',
    '/api/v1/nodes/u7s-attack-h2',
    json('PATCH', { metadata: { labels: { 'node-restriction.kubernetes.io/tenant': 'a' } } }),
  ],
  [
    'makes a node of another name',
    '/api/v1/nodes',
    json('POST', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'another' } }),
  ],
  [
    'makes a pod for another node',
    '/api/v1/namespaces/default/pods',
    json('POST', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { nodeName: 'u7s-attack-h1', containers: [{ name: 'x', image: 'x' }] },
    }),
  ],
  [
    'makes a pod that is not a mirror',
    '/api/v1/namespaces/default/pods',
    json('POST', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x' },
      spec: { nodeName: 'u7s-attack-h2', containers: [{ name: 'x', image: 'x' }] },
    }),
  ],
  [
    'gets a token of a service account without a pod',
    '/api/v1/namespaces/kube-system/serviceaccounts/namespace-controller/token',
    json('POST', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
  ],
  [
    'binds itself to cluster-admin',
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    json('POST', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'x' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', name: 'system:nodes', apiGroup: 'rbac.authorization.k8s.io' }],
    }),
  ],
  [
    'takes another node’s lease',
    '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/u7s-attack-h1',
    json('PATCH', { spec: { holderIdentity: 'u7s-attack-h2' } }),
  ],
  [
    'approves a signing request',
    '/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval',
    json('PUT', { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' }),
  ],
  ['reads the metrics of the API server', '/metrics'],
  ['reads the logs of the API server', '/logs/'],
  ['uses another node’s kubelet through the API', '/api/v1/nodes/u7s-attack-h1/proxy/pods'],
];
const kubelets = asked.map(([what, path, more]) =>
  node('asks the API as a kubelet', `a joined node’s kubelet ${what}`, /^403$/, (ground) =>
    asKubelet(ground, path, more),
  ),
);

const impersonating = ['kubernetes-admin', 'system:node:u7s-attack-h1', 'system:kube-controller-manager'].map(
  (user) =>
    node('asks the API as a kubelet', `a joined node’s kubelet impersonates ${user}`, /^403$/, (ground) =>
      asKubelet(ground, '/api/v1/secrets', { headers: { 'impersonate-user': user } }),
    ),
);

const components = ['kubelet', 'kube-proxy', 'flannel'] as const;
const otherKubelets = components.flatMap((name) =>
  ['/pods', '/metrics', '/logs/', '/exec/kube-system/x/x?command=id'].map((path) =>
    node(
      'asks another node’s kubelet',
      `${path} of the control plane’s kubelet as ${name} of a node`,
      /^403$/,
      async (ground) => {
        const { hand, keys } = await ground.node();
        return hand.status({
          ...ground.api(path, await keys(name)),
          port: 10250,
          method: path.startsWith('/exec') ? 'POST' : 'GET',
        });
      },
    ),
  ),
);

const writes: [string, string, Partial<HttpQuestion>?][] = [
  ['lists Secrets', '/api/v1/secrets'],
  ['reads the Secrets of kube-system', '/api/v1/namespaces/kube-system/secrets'],
  [
    'makes a pod',
    '/api/v1/namespaces/default/pods',
    json('POST', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x' },
      spec: { containers: [{ name: 'x', image: 'x' }] },
    }),
  ],
  ['deletes a node', '/api/v1/nodes/u7s-attack-h1', { method: 'DELETE' }],
  [
    'makes a Service',
    '/api/v1/namespaces/default/services',
    json('POST', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x' },
      spec: { ports: [{ port: 80 }] },
    }),
  ],
];
const componentsOf = (['kube-proxy', 'flannel'] as const).flatMap((name) =>
  writes.map(([what, path, more]) =>
    node('asks the API as a component', `${name} of a joined node ${what}`, /^403$/, async (ground) => {
      const { hand, keys } = await ground.node();
      return hand.status(ground.api(path, { ...more, ...(await keys(name)) }));
    }),
  ),
);

const merge = (body: object): Partial<HttpQuestion> => ({
  ...json('PATCH', body),
  headers: { 'content-type': 'application/merge-patch+json' },
});
const annotated = (name: string) => merge({ metadata: { annotations: { [name]: 'x' } } });
const [ownStatus, otherStatus] = ['u7s-attack-h2', 'u7s-attack-h1'].map(
  (name) => `/api/v1/nodes/${name}/status`,
) as [string, string];
const flannelWrites = (
  [
    ['the address of another node’s pods', otherStatus, annotated('flannel.alpha.coreos.com/public-ip')],
    ['another node’s addresses', otherStatus, merge({ status: { addresses: [] } })],
    ['its own node’s addresses', ownStatus, merge({ status: { addresses: [] } })],
    [
      'its own node’s labels',
      ownStatus,
      merge({ metadata: { labels: { 'node-role.kubernetes.io/x': '' } } }),
    ],
    ['annotations of others', ownStatus, annotated('example.org/x')],
  ] as const
).map(([what, path, more]) =>
  node('asks the API as a component', `flannel of a joined node writes ${what}`, /^403$/, async (ground) => {
    const { hand, keys } = await ground.node();
    return hand.status(ground.api(path, { ...more, ...(await keys('flannel')) }));
  }),
);

const own = { commonName: 'system:node:u7s-attack-h2', organization: 'system:nodes' };
const server = { ...kubeletServer, ...own, usage: 'server' as const };
const wanted: Record<string, Wanted> = {
  'another node': {
    ...kubeletClient,
    commonName: 'system:node:u7s-attack-h1',
    organization: 'system:nodes',
  },
  'the administrator': {
    ...anyClient,
    commonName: 'kubernetes-admin',
    organization: 'system:masters',
  },
  'itself, as an administrator': {
    ...kubeletClient,
    commonName: own.commonName,
    organization: 'system:masters',
  },
  'kube-proxy of another node': {
    ...anyClient,
    commonName: 'usernetes:kube-proxy:u7s-attack-h1',
    organization: 'usernetes:kube-proxy',
  },
  'flannel of the control plane': {
    ...anyClient,
    commonName: 'usernetes:flannel:u7s-attack-h1',
    organization: 'usernetes:flannel',
  },
  'a component that there is not': {
    ...anyClient,
    commonName: 'usernetes:anything:u7s-attack-h2',
    organization: 'usernetes:anything',
  },
  'the approver': { ...anyClient, commonName: 'usernetes:node-approver' },
  'a server for the API': { ...server, hosts: ['kubernetes.default.svc'] },
  'a server for the control plane’s address': { ...server, hosts: ['10.199.0.11'] },
  'a server for the control plane’s address, spelt otherwise': { ...server, hosts: ['::ffff:10.199.0.11'] },
  'a server for the Service kubernetes': { ...server, hosts: ['10.0.0.1'] },
  'a server for the cluster DNS': { ...server, hosts: ['10.0.0.53'] },
  'a server for loopback': { ...server, hosts: ['127.0.0.1'] },
  'a server for loopback in IPv6': { ...server, hosts: ['::1'] },
  'a server for every address': { ...server, hosts: ['0.0.0.0'] },
  'a server for localhost': { ...server, hosts: ['localhost'] },
  'a server for kubernetes': { ...server, hosts: ['u7s-attack-h2', 'kubernetes'] },
  'a server for the control plane’s name': { ...server, hosts: ['u7s-attack-h1'] },
  'a server for an address that no node has': { ...server, hosts: ['10.199.0.99'] },
  'a server that is called kubernetes': { ...server, commonName: 'system:node:kubernetes.default.svc' },
  'a signer that is not ours': { ...server, signerName: 'example.com/servers' },
  'a client of a signer that is not ours': { ...kubeletClient, ...own, signerName: 'example.com/clients' },
  'a server for a name elsewhere': { ...server, hosts: ['registry.example.com'] },
  'a server for any name': { ...server, hosts: ['*'] },
};
const requesting = Object.entries(wanted).map(([whom, spec]) =>
  node(
    'asks for certificates as a node',
    `a joined node asks for a certificate of ${whom}`,
    /^(denied: |403 )/,
    async (ground) => {
      const { hand, keys } = await ground.node();
      return askForCertificate(ground, hand, await keys('kubelet'), spec);
    },
  ),
);

/** By the certificate of a node that was removed, kept by who had its host. */
async function asRemoved(
  ground: Ground,
  name: 'kubelet' | 'kube-proxy' | 'flannel',
): Promise<{ who: Partial<HttpQuestion>; node: string }> {
  const { name: removed, keys } = await ground.removed();
  const pair = keys[name];
  if (pair === undefined) throw new Error(`the removed node had no certificate ${name}`);
  return { who: { ...pair }, node: removed };
}
const afterRemoval: [string, RegExp, (node: string) => [string, Partial<HttpQuestion>?]][] = [
  [
    'registers its node again',
    /^403$/,
    (name) => ['/api/v1/nodes', json('POST', { apiVersion: 'v1', kind: 'Node', metadata: { name } })],
  ],
  [
    'writes the status of its node',
    /^40[34]$/,
    (name) => [`/api/v1/nodes/${name}/status`, json('PATCH', { status: { phase: 'Running' } })],
  ],
  ['lists its pods', /^403$/, () => ['/api/v1/pods']],
  ['lists Secrets', /^403$/, () => ['/api/v1/secrets']],
  [
    'makes a pod for itself',
    /^40[034]$/,
    (name) => [
      '/api/v1/namespaces/default/pods',
      json('POST', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `x-${name}`, annotations: { 'kubernetes.io/config.mirror': 'x' } },
        spec: { nodeName: name, containers: [{ name: 'x', image: 'x' }] },
      }),
    ],
  ],
  [
    'gets a token of a service account',
    /^403$/,
    () => [
      '/api/v1/namespaces/default/serviceaccounts/default/token',
      json('POST', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
    ],
  ],
];
const removedNodes = [
  ...afterRemoval.map(([what, held, question]) =>
    node('was removed', `the kubelet of a removed node ${what}`, held, async (ground) => {
      const { who, node: name } = await asRemoved(ground, 'kubelet');
      const [path, more] = question(name);
      return (await ground.outsider()).status(ground.api(path, { ...more, ...who }));
    }),
  ),
  ...(
    [
      [
        'its kubelet',
        (name) => ({ ...kubeletClient, commonName: `system:node:${name}`, organization: 'system:nodes' }),
      ],
      [
        'its kubelet as a server',
        (name) => ({
          ...kubeletServer,
          usage: 'server',
          commonName: `system:node:${name}`,
          organization: 'system:nodes',
          hosts: [name],
        }),
      ],
      [
        'its flannel',
        (name) => ({
          ...anyClient,
          commonName: `usernetes:flannel:${name}`,
          organization: 'usernetes:flannel',
        }),
      ],
    ] as [string, (name: string) => Wanted][]
  ).map(([whom, spec]) =>
    node('was removed', `a removed node renews the certificate of ${whom}`, /^denied: /, async (ground) => {
      const { who, node: name } = await asRemoved(ground, 'kubelet');
      return askForCertificate(ground, await ground.outsider(), who, spec(name));
    }),
  ),
];

const absent = [
  'ca.key',
  'sa.key',
  'admin.key',
  'etcd-ca.key',
  'front-proxy-ca.key',
  'encryption-config.yaml',
  'kube-apiserver.key',
  'kube-apiserver-kubelet-client.key',
  'kube-controller-manager.key',
  'kube-scheduler.key',
  'node-approver.key',
].map((file) =>
  node('looks at what it has', `a joined node finds ${file}`, /^not among \d+ files$/, async (ground) => {
    const { paths } = await ground.node();
    const files = await readdir(paths.pki);
    return files.includes(file) ? `has ${file}` : `not among ${files.length} files`;
  }),
);

export const nodeAttacks: readonly Attack[] = [
  ...kubelets,
  ...impersonating,
  ...otherKubelets,
  ...componentsOf,
  ...flannelWrites,
  ...requesting,
  ...removedNodes,
  ...absent,
];

export const nodeDoors: readonly Door[] = [
  {
    kind: 'was removed',
    name: 'the API server still knows its certificate',
    open: /^200$/,
    opens: async (ground) => {
      const { who } = await asRemoved(ground, 'kubelet');
      return (await ground.outsider()).status(ground.api('/api/v1/services', who));
    },
  },
  {
    kind: 'asks the API as a kubelet',
    name: 'a joined node’s kubelet reads its own node',
    open: /^200$/,
    opens: (ground) => asKubelet(ground, '/api/v1/nodes/u7s-attack-h2'),
  },
  {
    kind: 'asks another node’s kubelet',
    name: 'the API server asks it',
    open: /^200$/,
    opens: async (ground) => {
      const { hand } = await ground.node();
      return hand.status({
        ...ground.api('/pods', await ground.keys('kube-apiserver-kubelet-client')),
        port: 10250,
      });
    },
  },
  {
    kind: 'asks for certificates as a node',
    name: 'a joined node renews its own',
    open: /^issued$/,
    opens: async (ground) => {
      const { hand, keys } = await ground.node();
      return askForCertificate(ground, hand, await keys('kubelet'), { ...kubeletClient, ...own });
    },
  },
  {
    kind: 'looks at what it has',
    name: 'it has the keys of its own kubelet',
    open: /^kubelet\.key$/,
    opens: async (ground) => {
      const { paths } = await ground.node();
      return (await readdir(paths.pki)).find((file) => file === 'kubelet.key') ?? 'none';
    },
  },
];
