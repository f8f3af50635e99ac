import { dirname } from 'node:path';
import { check, notApplicable, passBecause, passIf, type Check } from '../check.js';
import type { RunningCluster } from '../cluster.js';

const noPodFiles = notApplicable('the components are supervised processes; there are no static pods');

/** Owned by root elsewhere; here the account is what root is there. */
export const privateTo = async ({ file, uid }: RunningCluster, path: string, most: number) => {
  const found = await file(path);
  const isPrivate = found !== undefined && found.uid === uid && (found.mode & ~most) === 0;
  return passIf(
    isPrivate,
    found === undefined ? `${path} is missing` : `mode ${found.mode.toString(8)}, UID ${found.uid}`,
  );
};

const files: Check[] = [
  ...['1.1.1', '1.1.3', '1.1.5', '1.1.7'].map((id) =>
    check(id, 'mode of a pod specification file', noPodFiles),
  ),
  ...['1.1.2', '1.1.4', '1.1.6', '1.1.8'].map((id) =>
    check(id, 'owner of a pod specification file', noPodFiles),
  ),
  ...(['1.1.9', '1.1.10'] as const).map((id) =>
    check(id, 'CNI configuration is the owner’s alone', async (cluster) => {
      const found = await cluster.filesIn('/run/usernetes/cni/net.d');
      const facts = (await Promise.all(found.map(cluster.file))).filter((each) => each !== undefined);
      return passIf(
        facts.length > 0 && facts.every(({ mode, uid }) => uid === cluster.uid && (mode & 0o077) === 0),
      );
    }),
  ),
  check('1.1.11', 'etcd’s data is closed to others', (cluster) =>
    privateTo(cluster, cluster.flagsOf('etcd')['data-dir'] ?? '', 0o700),
  ),
  check('1.1.12', 'etcd’s data belongs to whoever runs etcd', (cluster) =>
    privateTo(cluster, cluster.flagsOf('etcd')['data-dir'] ?? '', 0o700),
  ),
  ...['1.1.13', '1.1.14'].map((id) =>
    check(id, 'the administrator’s kubeconfig is the owner’s alone', (cluster) =>
      privateTo(cluster, `${cluster.state}/admin.kubeconfig`, 0o600),
    ),
  ),
  ...[
    ['1.1.15', '1.1.16', 'kube-scheduler'],
    ['1.1.17', '1.1.18', 'kube-controller-manager'],
  ].flatMap(([mode = '', owner = '', component = '']) =>
    [mode, owner].map((id) =>
      check(id, `kubeconfig of ${component} is the owner’s alone`, (cluster) =>
        privateTo(cluster, cluster.flagsOf(component)['authentication-kubeconfig'] ?? '', 0o600),
      ),
    ),
  ),
  check('1.1.19', 'the PKI belongs to the owner', (cluster) => pki(cluster, '', 0o600)),
  check('1.1.20', 'certificates are written by the owner alone', (cluster) => pki(cluster, '.crt', 0o644)),
  check('1.1.21', 'keys are the owner’s alone', (cluster) => pki(cluster, '.key', 0o600)),
];

async function pki(cluster: RunningCluster, ending: string, most: number) {
  const names = (await cluster.filesIn(cluster.pki)).filter((path) => path.endsWith(ending));
  const facts = await Promise.all(names.map(cluster.file));
  const isPrivate = facts.every(
    (each) => each !== undefined && each.uid === cluster.uid && (each.mode & ~most) === 0,
  );
  return passIf(names.length > 0 && isPrivate);
}

const set =
  (component: string, ...names: string[]) =>
  (cluster: RunningCluster) => {
    const missing = names.filter((name) => !cluster.flagsOf(component)[name]);
    return passIf(missing.length === 0, `not set: ${missing.join(', ')}`);
  };
const isValue = (component: string, name: string, value: string) => (cluster: RunningCluster) => {
  const found = cluster.flagsOf(component)[name];
  return passIf(found === value, `${name} is ${found ?? 'not set'}`);
};
const atLeast = (name: string, least: number) => (cluster: RunningCluster) => {
  const found = cluster.flagsOf('kube-apiserver')[name];
  return passIf(Number(found) >= least, `${name} is ${found ?? 'not set'}`);
};
const api = 'kube-apiserver';
const list = (cluster: RunningCluster, flag: string): string[] =>
  (cluster.flagsOf(api)[flag] ?? '').split(',');
const plugin = (name: string) => (cluster: RunningCluster) =>
  passIf(list(cluster, 'enable-admission-plugins').includes(name), `${name} is not on`);
const onByDefault = (name: string) => (cluster: RunningCluster) =>
  passIf(!list(cluster, 'disable-admission-plugins').includes(name), `${name} is off`);

const apiServer: Check[] = [
  check('1.2.1', 'nobody is served without a name', async ({ anonymousStatusOf }) =>
    passBecause(
      (await anonymousStatusOf('/api')) === 401 && (await anonymousStatusOf('/livez')) === 200,
      'only health is answered, by the file of --authentication-config; everything else with 401',
    ),
  ),
  check('1.2.2', 'no file of tokens', (cluster) => passIf(!('token-auth-file' in cluster.flagsOf(api)))),
  check('1.2.3', 'Services name no external addresses', plugin('DenyServiceExternalIPs')),
  check(
    '1.2.4',
    'the API server shows kubelets a certificate',
    set(api, 'kubelet-client-certificate', 'kubelet-client-key'),
  ),
  check('1.2.5', 'and checks theirs', set(api, 'kubelet-certificate-authority')),
  check('1.2.6', 'not everything is allowed', (cluster) =>
    passIf(!list(cluster, 'authorization-mode').includes('AlwaysAllow')),
  ),
  check('1.2.7', 'nodes are authorized as nodes', (cluster) =>
    passIf(list(cluster, 'authorization-mode').includes('Node')),
  ),
  check('1.2.8', 'roles decide', (cluster) => passIf(list(cluster, 'authorization-mode').includes('RBAC'))),
  check('1.2.9', 'Events are limited', plugin('EventRateLimit')),
  check('1.2.10', 'admission admits not everything', (cluster) =>
    passIf(!list(cluster, 'enable-admission-plugins').includes('AlwaysAdmit')),
  ),
  check('1.2.11', 'images are pulled each time', (cluster) =>
    cluster.kubelet['imagePullCredentialsVerificationPolicy'] === 'NeverVerify'
      ? { status: 'fail' }
      : {
          status: 'not applicable',
          reason:
            'images made on the node are in no registry; the kubelet lets a pod use a pulled image only with credentials for it (imagePullCredentialsVerificationPolicy)',
        },
  ),
  check('1.2.12', 'ServiceAccount is on', onByDefault('ServiceAccount')),
  check('1.2.13', 'NamespaceLifecycle is on', onByDefault('NamespaceLifecycle')),
  check('1.2.14', 'NodeRestriction is on', plugin('NodeRestriction')),
  check('1.2.15', 'no profiling', isValue(api, 'profiling', 'false')),
  check('1.2.16', 'requests are recorded', async (cluster) => {
    const path = cluster.flagsOf(api)['audit-log-path'] ?? '';
    return path === '' ? passIf(false, 'auditLevel is none') : privateTo(cluster, path, 0o600);
  }),
  check('1.2.17', 'for 30 days', atLeast('audit-log-maxage', 30)),
  check('1.2.18', 'in ten older parts', atLeast('audit-log-maxbackup', 10)),
  check('1.2.19', 'of 100 MB', atLeast('audit-log-maxsize', 100)),
  check('1.2.20', 'requests end in time', (cluster) =>
    passIf(
      !('request-timeout' in cluster.flagsOf(api)) || cluster.flagsOf(api)['request-timeout'] === '1m0s',
    ),
  ),
  check('1.2.21', 'tokens of deleted accounts end', (cluster) =>
    passIf(cluster.flagsOf(api)['service-account-lookup'] !== 'false'),
  ),
  check('1.2.22', 'a key of its own for tokens', set(api, 'service-account-key-file')),
  check('1.2.23', 'etcd is shown a certificate', set(api, 'etcd-certfile', 'etcd-keyfile')),
  check('1.2.24', 'a certificate of its own', set(api, 'tls-cert-file', 'tls-private-key-file')),
  check('1.2.25', 'an authority for clients', set(api, 'client-ca-file')),
  check('1.2.26', 'an authority for etcd', set(api, 'etcd-cafile')),
  check('1.2.27', 'Secrets are encrypted', set(api, 'encryption-provider-config')),
  check('1.2.28', 'by a good cipher', async (cluster) => {
    const config = await cluster.text(cluster.flagsOf(api)['encryption-provider-config'] ?? '');
    return passIf(
      /\b(secretbox|aescbc|kms)\b/.test(config) && !/providers:\s*\n?\s*-\s*identity/.test(config),
    );
  }),
  check('1.2.29', 'strong ciphers only', ({ tls }) => strong(tls(api))),
  check(
    '1.2.30',
    'tokens of pods end in time',
    isValue(api, 'service-account-extend-token-expiration', 'false'),
  ),
];

export const strong = ({ refusesOld, cipher }: { refusesOld: boolean; cipher: string }) =>
  passIf(
    refusesOld && cipher.startsWith('TLS_'),
    `TLS 1.2 is ${refusesOld ? 'refused' : 'taken'}, cipher ${cipher}`,
  );

const [manager, scheduler] = ['kube-controller-manager', 'kube-scheduler'];
const controllers: Check[] = [
  check('1.3.1', 'finished pods are deleted', set(manager, 'terminated-pod-gc-threshold')),
  check('1.3.2', 'no profiling', isValue(manager, 'profiling', 'false')),
  check(
    '1.3.3',
    'each controller has an identity',
    isValue(manager, 'use-service-account-credentials', 'true'),
  ),
  check('1.3.4', 'a key for tokens', set(manager, 'service-account-private-key-file')),
  check('1.3.5', 'pods get the authority', set(manager, 'root-ca-file')),
  check('1.3.6', 'RotateKubeletServerCertificate is not off', (cluster) =>
    passIf(!/RotateKubeletServerCertificate=false/.test(cluster.flagsOf(manager)['feature-gates'] ?? '')),
  ),
  check('1.3.7', 'listens on loopback', isValue(manager, 'bind-address', '127.0.0.1')),
  check('1.4.1', 'no profiling', async (cluster) =>
    passIf((await cluster.json(cluster.flagsOf(scheduler)['config'] ?? ''))['enableProfiling'] === false),
  ),
  check('1.4.2', 'listens on loopback', isValue(scheduler, 'bind-address', '127.0.0.1')),
];

const etcd: Check[] = [
  check('2.1', 'a certificate', set('etcd', 'cert-file', 'key-file')),
  check('2.2', 'clients show one', isValue('etcd', 'client-cert-auth', 'true')),
  check('2.3', 'none made by itself', (cluster) => passIf(cluster.flagsOf('etcd')['auto-tls'] !== 'true')),
  check('2.4', 'a certificate for peers', set('etcd', 'peer-cert-file', 'peer-key-file')),
  check('2.5', 'peers show one', isValue('etcd', 'peer-client-cert-auth', 'true')),
  check('2.6', 'none made by itself', (cluster) =>
    passIf(cluster.flagsOf('etcd')['peer-auto-tls'] !== 'true'),
  ),
  check('2.7', 'an authority of its own', async (cluster) => {
    const [own, other] = [
      cluster.flagsOf('etcd')['trusted-ca-file'] ?? '',
      cluster.flagsOf(api)['client-ca-file'] ?? '',
    ];
    return passIf((await cluster.text(own)) !== (await cluster.text(other)) && dirname(own) === cluster.pki);
  }),
];

type Rule = { level: string; resources?: { group?: string; resources?: string[] }[] };
const ownAccount =
  'the account itself, who holds the authority’s key as well; an OIDC issuer for further people is theirs to set up';
const authentication: Check[] = [
  check(
    '3.1.1',
    'people do not log in by client certificates',
    notApplicable(`the only person is ${ownAccount}`),
  ),
  check('3.1.2', 'nor by tokens of service accounts', async ({ get }) => {
    const { items } = await get<{ items: { type: string }[] }>('/api/v1/secrets');
    return passIf(
      !items.some(({ type }) => type === 'kubernetes.io/service-account-token'),
      'there are lasting tokens',
    );
  }),
  check('3.1.3', 'nor by bootstrap tokens', (cluster) => {
    if (cluster.flagsOf(api)['enable-bootstrap-token-auth'] !== 'true') return { status: 'pass' };
    return {
      status: 'pass',
      reason: 'they admit nodes: their group may ask for a node’s certificate and nothing else',
    };
  }),
  check('3.2.1', 'there is an audit policy', set(api, 'audit-policy-file')),
  check('3.2.2', 'it covers Secrets, tokens and everything that is changed', async (cluster) => {
    const path = cluster.flagsOf(api)['audit-policy-file'];
    if (path === undefined) return passIf(false, 'auditLevel is none');
    const rules = (await cluster.json(path))['rules'] as Rule[];
    const secrets = rules.some(
      ({ level, resources }) =>
        level === 'Metadata' && resources?.some((each) => each.resources?.includes('secrets')),
    );
    return passIf(secrets && rules.at(-1)?.level === 'Metadata' && rules.at(-1)?.resources === undefined);
  }),
];

export const controlPlane: readonly Check[] = [
  ...files,
  ...apiServer,
  ...controllers,
  ...etcd,
  ...authentication,
];
