import { from, type Attack, type Door } from '../attack.js';
import type { Ground } from '../ground.js';
import type { HttpQuestion } from '../hand-agent.js';
import { anyClient, askForCertificate, kubeletClient, kubeletServer, type Wanted } from '../signing.js';

const holder = from('token holder');

/** One token serves all of them: what is refused does not use it up. */
let shared: Promise<string> | undefined;
async function withToken(ground: Ground): Promise<Partial<HttpQuestion>> {
  return { headers: { authorization: `Bearer ${await (shared ??= ground.token())}` } };
}

const asked: [string, string, object?][] = [
  ['GET', '/api/v1/secrets'],
  ['GET', '/api/v1/namespaces/kube-system/secrets'],
  ['GET', '/api/v1/namespaces/default/secrets'],
  ['GET', '/api/v1/nodes'],
  ['GET', '/api/v1/pods'],
  ['GET', '/api/v1/services'],
  ['GET', '/api/v1/endpoints'],
  ['GET', '/api/v1/events'],
  ['GET', '/api/v1/namespaces'],
  ['GET', '/api/v1/configmaps'],
  ['GET', '/api/v1/namespaces/kube-system/configmaps'],
  ['GET', '/api/v1/namespaces/kube-system/configmaps/coredns'],
  ['GET', '/api/v1/serviceaccounts'],
  ['GET', '/apis/apps/v1/deployments'],
  ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
  ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'],
  ['GET', '/apis/certificates.k8s.io/v1/certificatesigningrequests'],
  ['GET', '/apis/coordination.k8s.io/v1/leases'],
  ['GET', '/metrics'],
  ['GET', '/logs/'],
  ['POST', '/api/v1/namespaces/default/pods', { kind: 'Pod', metadata: { name: 'x' } }],
  ['POST', '/api/v1/namespaces/default/secrets', { kind: 'Secret', metadata: { name: 'x' } }],
  ['POST', '/api/v1/namespaces/kube-system/configmaps', { kind: 'ConfigMap', metadata: { name: 'x' } }],
  ['POST', '/api/v1/nodes', { kind: 'Node', metadata: { name: 'x' } }],
  ['DELETE', '/api/v1/nodes/u7s-attack-h1'],
  ['DELETE', '/api/v1/namespaces/kube-system/configmaps/usernetes'],
  [
    'POST',
    '/api/v1/namespaces/kube-system/serviceaccounts/namespace-controller/token',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  ],
];
const rights = asked.map(([method, path, body]) =>
  holder('asks the API with a token', `${method} ${path} with a token`, /^403$/, async (ground) =>
    (await ground.outsider()).status(
      ground.api(path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify({ apiVersion: 'v1', ...body }) }),
        headers: { ...(await withToken(ground)).headers, 'content-type': 'application/json' },
      }),
    ),
  ),
);

const impersonated = [
  { 'impersonate-user': 'kubernetes-admin' },
  { 'impersonate-user': 'system:node:u7s-attack-h1', 'impersonate-group': 'system:nodes' },
  { 'impersonate-user': 'system:serviceaccount:kube-system:namespace-controller' },
].map((impersonation) =>
  holder(
    'impersonates',
    `impersonates ${impersonation['impersonate-user']} with a token`,
    /^403$/,
    async (ground) =>
      (await ground.outsider()).status(
        ground.api('/api/v1/secrets', {
          headers: { ...(await withToken(ground)).headers, ...impersonation },
        }),
      ),
  ),
);

const joiningAs = (name: string, address = '10.199.0.99'): Wanted => ({
  ...kubeletClient,
  commonName: `system:node:${name}`,
  organization: 'system:nodes',
  ...(address === '' ? {} : { address }),
});

const notAdmitted = /^(denied: |403 )/;
const wanted: Record<string, Wanted> = {
  'the administrator': {
    ...anyClient,
    commonName: 'kubernetes-admin',
    organization: 'system:masters',
  },
  'the administrator, as a kubelet': {
    ...kubeletClient,
    commonName: 'kubernetes-admin',
    organization: 'system:masters',
  },
  'the control plane': {
    ...kubeletClient,
    commonName: 'system:node:u7s-attack-h1',
    organization: 'system:nodes',
  },
  'a node and administrators': {
    ...kubeletClient,
    commonName: 'system:node:x',
    organization: 'system:masters',
  },
  'a node without group': { ...kubeletClient, commonName: 'system:node:x' },
  'a node that is a name of the API server': {
    ...kubeletClient,
    commonName: 'system:node:',
    organization: 'system:nodes',
  },
  'a node called kubernetes': joiningAs('kubernetes'),
  'a node called localhost': joiningAs('localhost'),
  'a node called kubernetes.default.svc': joiningAs('kubernetes.default.svc'),
  'a node that does not say where it is': joiningAs('x', ''),
  'a node at the control plane’s address': joiningAs('x', '10.199.0.11'),
  'a node at the control plane’s address, spelt otherwise': joiningAs('x', '::ffff:10.199.0.11'),
  'a node at the address of the Service kubernetes': joiningAs('x', '10.0.0.1'),
  'a node at a loopback address': joiningAs('x', '127.0.0.1'),
  'a node at every address': joiningAs('x', '0.0.0.0'),
  'a node at the metadata address of clouds': joiningAs('x', '169.254.169.254'),
  'a node at the address of a pod': joiningAs('x', '10.5.0.2'),
  'a signer that is not ours': { ...joiningAs('x'), signerName: 'example.com/servers' },
  'a node with another address': {
    ...kubeletClient,
    commonName: 'system:node:x',
    organization: 'system:nodes',
    hosts: ['10.199.0.11'],
  },
  'a node that may serve': {
    signerName: kubeletClient.signerName,
    usages: ['digital signature', 'client auth', 'server auth'],
    commonName: 'system:node:x',
    organization: 'system:nodes',
  },
  'a node’s server': {
    ...kubeletServer,
    commonName: 'system:node:x',
    organization: 'system:nodes',
    hosts: ['x'],
  },
  'kube-proxy of a node': {
    ...anyClient,
    commonName: 'usernetes:kube-proxy:x',
    organization: 'usernetes:kube-proxy',
  },
  'the approver': { ...anyClient, commonName: 'usernetes:node-approver' },
  'the controller manager': { ...anyClient, commonName: 'system:kube-controller-manager' },
  'the API server to kubelets': { ...anyClient, commonName: 'kube-apiserver-kubelet-client' },
};
const requesting = Object.entries(wanted).map(([whom, spec]) =>
  holder(
    'asks for certificates with a token',
    `asks for a certificate of ${whom} with a token`,
    notAdmitted,
    async (ground) => askForCertificate(ground, await ground.outsider(), await withToken(ground), spec),
  ),
);

const reusing = holder(
  'asks for certificates with a token',
  'admits a second node with a token for one, after the first request was cleaned away',
  notAdmitted,
  async (ground) => {
    const token = { headers: { authorization: `Bearer ${await ground.token()}` } };
    const ask = async (name: string, address: string): Promise<string> =>
      askForCertificate(ground, await ground.outsider(), token, joiningAs(name, address));
    const first = await ask('one', '10.199.0.97');
    return first === 'issued' ? ask('two', '10.199.0.98') : `the first: ${first}`;
  },
);

export const tokenAttacks: readonly Attack[] = [...rights, ...impersonated, ...requesting, reusing];

export const tokenDoors: readonly Door[] = [
  {
    kind: 'asks the API with a token',
    name: 'a token reads what every node has to know',
    open: /^200$/,
    opens: async (ground) =>
      (await ground.outsider()).status(
        ground.api('/api/v1/namespaces/kube-system/configmaps/usernetes', await withToken(ground)),
      ),
  },
  {
    kind: 'asks for certificates with a token',
    name: 'a token gets the certificate of a kubelet with a free name',
    open: /^issued$/,
    opens: async (ground) =>
      askForCertificate(
        ground,
        await ground.outsider(),
        { headers: { authorization: `Bearer ${await ground.token()}` } },
        joiningAs('free', '10.199.0.96'),
      ),
  },
];
