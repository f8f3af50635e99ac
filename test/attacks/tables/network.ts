import { generateKeyPairSync, sign } from 'node:crypto';
import { from, type Attack, type Door } from '../attack.js';
import type { Ground, Keys } from '../ground.js';
import type { HttpQuestion } from '../hand-agent.js';
import { foreignKeys } from '../foreign.js';

const network = from('network');
const unauthorized = /^401$/;

const apiPaths = [
  '/',
  '/api',
  '/apis',
  '/api/v1',
  '/version',
  '/metrics',
  '/logs',
  '/logs/kube-apiserver.log',
  '/openapi/v2',
  '/openapi/v3',
  '/swagger.json',
  '/debug/pprof/',
  '/debug/pprof/heap',
  '/debug/flags/v',
  '/debug/api_priority_and_fairness/dump_requests',
  '/configz',
  '/statusz',
  '/flagz',
  '/healthz/etcd',
  '/readyz/etcd',
  '/livez/ping',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/api/v1/secrets',
  '/api/v1/nodes',
  '/api/v1/pods',
  '/api/v1/configmaps',
  '/api/v1/namespaces',
  '/api/v1/namespaces/kube-system/secrets',
  '/api/v1/namespaces/kube-system/configmaps/usernetes',
  '/api/v1/namespaces/kube-public/configmaps/cluster-info',
  '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
  '/api/v1/namespaces/default/services/https:kubernetes:/proxy/',
  '/api/v1/nodes/u7s-attack-h1/proxy/pods',
  '/apis/certificates.k8s.io/v1/certificatesigningrequests',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  '/apis/apps/v1/deployments',
] as const;
const anonymous = apiPaths.map((path) =>
  network(
    'asks the API without a name',
    `GET ${path} of the API without a name`,
    unauthorized,
    async (ground) => (await ground.outsider()).status(ground.api(path)),
  ),
);

/** What passes for `/healthz`, which everybody may ask for, if paths are compared carelessly. */
const disguised = [
  '//api/v1/secrets',
  '/healthz/../api/v1/secrets',
  '/healthz/%2e%2e/api/v1/secrets',
  '/healthz%2f..%2fapi/v1/secrets',
  '/healthz/..;/api/v1/secrets',
  '/livez/../../api/v1/nodes',
  '/readyz?/../api/v1/secrets',
  '/healthz#/../../api/v1/secrets',
  '/API/V1/secrets',
  '/api/v1/secrets?path=/healthz',
  '/healthz/api/v1/secrets',
  '/./api/v1/secrets',
].map((path) =>
  network(
    'disguises paths',
    `asks for secrets as ${path}`,
    /^(301|400|401|403|404)$|^200 (ok|\[\+\])/,
    async (ground) => {
      const answer = await (await ground.outsider()).ask(ground.api(path));
      if ('error' in answer) return answer.error;
      return answer.status === 200 ? `200 ${answer.body.slice(0, 20)}` : String(answer.status);
    },
  ),
);

const bearer = (token: string): HttpQuestion['headers'] => ({ authorization: `Bearer ${token}` });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = {
  iss: 'https://kubernetes.default.svc.cluster.local',
  sub: 'system:serviceaccount:kube-system:namespace-controller',
  aud: ['https://kubernetes.default.svc.cluster.local'],
  exp: Math.floor(Date.now() / 1000) + 3600,
  iat: Math.floor(Date.now() / 1000) - 60,
};
function signedByUs(algorithm: string): string {
  const body = `${part({ alg: algorithm, typ: 'JWT' })}.${part(claims)}`;
  if (algorithm === 'none') return `${body}.`;
  const { privateKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

const pretended: Record<string, HttpQuestion['headers']> = {
  'an empty token': bearer(''),
  'a token of nobody': bearer('abcdef.0123456789abcdef'),
  'a token without end': bearer('a'.repeat(10_000)),
  'a JWT without signature': bearer(signedByUs('none')),
  'a JWT signed by a key of theirs (RS256)': bearer(signedByUs('RS256')),
  'a JWT signed by a key of theirs (ES256)': bearer(signedByUs('ES256')),
  'a user and password': { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` },
  'the headers of a front proxy': {
    'x-remote-user': 'kubernetes-admin',
    'x-remote-group': 'system:masters',
  },
  'the headers of impersonation': {
    'impersonate-user': 'kubernetes-admin',
    'impersonate-group': 'system:masters',
  },
  'the name of a forwarder': { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-user': 'kubernetes-admin' },
  'a Host of localhost': { host: 'localhost' },
  'a method in a header': { 'x-http-method-override': 'OPTIONS' },
};
const pretending = Object.entries(pretended).map(([what, headers]) =>
  network('pretends to be somebody', `asks the API for secrets with ${what}`, unauthorized, async (ground) =>
    (await ground.outsider()).status(ground.api('/api/v1/secrets', headers === undefined ? {} : { headers })),
  ),
);

const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'CONNECT', 'TRACE'].map((method) =>
  network(
    'uses other methods',
    `${method} /api/v1/namespaces without a name`,
    /^(400|401|404|405)$/,
    async (ground) => (await ground.outsider()).status(ground.api('/api/v1/namespaces', { method })),
  ),
);

/** A certificate of an authority of theirs, which has the same name as the cluster’s. */
const forged: Record<string, Parameters<typeof foreignKeys>[0]> = {
  'of the administrator': { commonName: 'kubernetes-admin', organization: 'system:masters' },
  'of the API server to kubelets': { commonName: 'kube-apiserver-kubelet-client' },
  'of a node': { commonName: 'system:node:u7s-attack-h1', organization: 'system:nodes' },
  'of the controller manager': { commonName: 'system:kube-controller-manager' },
  'of the front proxy': { commonName: 'front-proxy-client' },
  'of the approver': { commonName: 'usernetes:node-approver' },
};
const targets: Record<string, (ground: Ground) => HttpQuestion> = {
  'the API server': (ground) => ground.api('/api/v1/secrets'),
  'the kubelet': (ground) => ({ ...ground.api('/pods'), port: 10250 }),
};
/** Go answers an unknown authority in the handshake or, after it, with 401. */
const unknownAuthority = /^401$|CERTIFICATE|ALERT|SSL|ECONNRESET|EPIPE/;
const forging = Object.entries(forged).flatMap(([whose, subject]) =>
  Object.entries(targets).map(([target, question]) =>
    network(
      'forges certificates',
      `a certificate ${whose} by an authority of theirs, to ${target}`,
      unknownAuthority,
      async (ground) =>
        (await ground.outsider()).status({ ...question(ground), ...(await foreignKeys(subject)) }),
    ),
  ),
);

/** Keys of one circle that are tried in another. */
const misused: [string, string, (ground: Ground) => HttpQuestion, RegExp][] = [
  ['etcd-server', 'the API server', (ground) => ground.api('/api/v1/secrets'), unknownAuthority],
  [
    'kube-apiserver-etcd-client',
    'the API server',
    (ground) => ground.api('/api/v1/secrets'),
    unknownAuthority,
  ],
  ['front-proxy-client', 'the API server', (ground) => ground.api('/api/v1/secrets'), unknownAuthority],
  ['kube-apiserver', 'the API server', (ground) => ground.api('/api/v1/secrets'), unknownAuthority],
  ['kubelet-server', 'the API server', (ground) => ground.api('/api/v1/secrets'), unknownAuthority],
  ['etcd-server', 'the kubelet', (ground) => ({ ...ground.api('/pods'), port: 10250 }), unknownAuthority],
  [
    'front-proxy-client',
    'the kubelet',
    (ground) => ({ ...ground.api('/pods'), port: 10250 }),
    unknownAuthority,
  ],
  ['kube-proxy', 'the kubelet', (ground) => ({ ...ground.api('/pods'), port: 10250 }), /^403$/],
  ['port-publisher', 'the kubelet', (ground) => ({ ...ground.api('/pods'), port: 10250 }), /^403$/],
  ['kube-scheduler', 'the kubelet', (ground) => ({ ...ground.api('/pods'), port: 10250 }), /^403$/],
];
const misusing = misused.map(([name, target, question, held]) =>
  network('misuses certificates', `the certificate ${name} at ${target}`, held, async (ground) =>
    (await ground.outsider()).status({ ...question(ground), ...(await ground.keys(name)) }),
  ),
);

const kubeletPaths = [
  '/pods',
  '/runningpods/',
  '/metrics',
  '/metrics/cadvisor',
  '/metrics/resource',
  '/metrics/probes',
  '/stats/summary',
  '/configz',
  '/logs/',
  '/healthz',
  '/spec/',
  '/debug/pprof/',
  '/debug/flags/v',
  '/exec/kube-system/coredns/coredns?command=id&output=1',
  '/run/kube-system/coredns/coredns?cmd=id',
  '/attach/kube-system/coredns/coredns?output=1',
  '/portForward/kube-system/coredns',
  '/containerLogs/kube-system/coredns/coredns',
  '/checkpoint/kube-system/coredns/coredns',
].map((path) =>
  network(
    'asks a kubelet without a name',
    `${path} of a kubelet without a name`,
    unauthorized,
    async (ground) =>
      (await ground.outsider()).status({
        ...ground.api(path, { method: /^.(exec|run|attach|portF|checkpoint)/.test(path) ? 'POST' : 'GET' }),
        port: 10250,
      }),
  ),
);

const versions = (['TLSv1', 'TLSv1.1'] as const).flatMap((version) =>
  Object.entries(targets).map(([target, question]) =>
    network(
      'speaks old TLS',
      `speaks ${version} with ${target}`,
      /^EPROTO$|ALERT_PROTOCOL_VERSION/,
      async (ground) =>
        (await ground.outsider()).status({
          ...question(ground),
          path: '/healthz',
          tls: { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' },
        }),
    ),
  ),
);
/** Of those that the attacker's OpenSSL can speak: without forward secrecy, without identity, without encryption. */
const ciphers = [
  'AES128-SHA',
  'AES256-SHA',
  'AES128-SHA256',
  'AES256-GCM-SHA384',
  'CAMELLIA128-SHA',
  'ADH-AES128-SHA',
  'ADH-AES128-GCM-SHA256',
  'AECDH-AES128-SHA',
  'NULL-SHA256',
  'AECDH-NULL-SHA',
  'ECDHE-ECDSA-NULL-SHA',
  'DHE-RSA-AES128-SHA',
].map((cipher) =>
  network(
    'speaks weak ciphers',
    `speaks ${cipher} with the API server`,
    /^EPROTO$|HANDSHAKE_FAILURE/,
    async (ground) =>
      (await ground.outsider()).status(
        ground.api('/healthz', { tls: { maxVersion: 'TLSv1.2', ciphers: `${cipher}:@SECLEVEL=0` } }),
      ),
  ),
);
const plaintext = Object.entries(targets).map(([target, question]) =>
  network('speaks without TLS', `speaks HTTP with ${target}`, /^400$|ECONNRESET|HPE_/, async (ground) =>
    (await ground.outsider()).status({ ...question(ground), plain: true }),
  ),
);

const closed: [string, number][] = [
  ['etcd', 2379],
  ['etcd’s peers', 2380],
  ['etcd’s metrics', 2381],
  ['the controller manager', 10257],
  ['the scheduler', 10259],
  ['kube-proxy', 10256],
  ['kube-proxy’s metrics', 10249],
  ['the kubelet’s health', 10248],
  ['the kubelet’s read-only port', 10255],
  ['cAdvisor', 4194],
  ['an insecure API', 8080],
  ['dockerd', 2375],
  ['dockerd with TLS', 2376],
  ['DNS', 53],
];
const scanning = closed.map(([what, port]) =>
  network(
    'scans ports',
    `connects to ${what}, port ${port}`,
    /^ECONNREFUSED$/,
    async ({ outsider, control }) => (await outsider()).connect({ host: control.address, port }),
  ),
);

export const networkAttacks: readonly Attack[] = [
  ...anonymous,
  ...disguised,
  ...pretending,
  ...methods,
  ...forging,
  ...misusing,
  ...kubeletPaths,
  ...versions,
  ...ciphers,
  ...plaintext,
  ...scanning,
];

const asAdmin = async (ground: Ground): Promise<Keys> => ground.keys('admin');

export const networkDoors: readonly Door[] = [
  {
    kind: 'asks the API without a name',
    name: 'the administrator asks for secrets',
    open: /^200$/,
    opens: async (ground) =>
      (await ground.outsider()).status(ground.api('/api/v1/secrets', await asAdmin(ground))),
  },
  {
    kind: 'disguises paths',
    name: 'everybody may ask whether the API is well',
    open: /^200$/,
    opens: async (ground) => (await ground.outsider()).status(ground.api('/healthz')),
  },
  {
    kind: 'pretends to be somebody',
    name: 'a token of a service account is believed',
    open: /^200$/,
    opens: async (ground) => {
      const made = await ground.admin(
        'POST',
        '/api/v1/namespaces/kube-system/serviceaccounts/namespace-controller/token',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      );
      if ('error' in made) return made.error;
      const { status } = JSON.parse(made.body) as { status: { token: string } };
      return (await ground.outsider()).status(
        ground.api('/api/v1/namespaces', { headers: bearer(status.token) ?? {} }),
      );
    },
  },
  {
    kind: 'asks a kubelet without a name',
    name: 'the API server asks the kubelet for its pods',
    open: /^200$/,
    opens: async (ground) =>
      (await ground.outsider()).status({
        ...ground.api('/pods', await ground.keys('kube-apiserver-kubelet-client')),
        port: 10250,
      }),
  },
  {
    kind: 'speaks old TLS',
    name: 'TLS 1.3 is spoken with the API server',
    open: /^200$/,
    opens: async (ground) =>
      (await ground.outsider()).status(ground.api('/healthz', { tls: { minVersion: 'TLSv1.3' } })),
  },
  {
    kind: 'scans ports',
    name: 'the ports of the API and of the kubelet are open',
    open: /^connected connected$/,
    opens: async ({ outsider, control }) => {
      const hand = await outsider();
      const found = [6443, 10250].map((port) => hand.connect({ host: control.address, port }));
      return (await Promise.all(found)).join(' ');
    },
  },
];
