import test from 'ava';
import { stringify } from 'yaml';
import { readKubeconfigParts } from '#src/kube/kubeconfig-parts.js';
import { renderKubeconfig } from '#src/kube/kubeconfig.js';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';

const now = new Date();
const { certPem: caPem, issuer } = await createAuthority('kubernetes', now);
const [own, other] = await Promise.all(
  [1, 2].map(() =>
    issueCertificate(
      { name: 'admin', authority: 'ca', commonName: 'admin', usage: 'client', hosts: [] },
      issuer,
      now,
    ),
  ),
);
if (own === undefined || other === undefined) throw new Error('no certificates');
const input = { name: 'usernetes', server: 'https://127.0.0.1:6443', caPem, ...own };

type Config = {
  clusters: [{ name: string; cluster: Record<string, unknown> }];
  users: [{ name: string; user: Record<string, unknown> }];
  contexts: [{ name: string; context: Record<string, unknown> }];
  'current-context': string;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const config = (): Config => ({
  clusters: [
    { name: 'usernetes', cluster: { server: input.server, 'certificate-authority-data': base64(caPem) } },
  ],
  users: [
    {
      name: 'usernetes',
      user: { 'client-certificate-data': base64(own.certPem), 'client-key-data': base64(own.keyPem) },
    },
  ],
  contexts: [{ name: 'usernetes', context: { cluster: 'usernetes', user: 'usernetes' } }],
  'current-context': 'usernetes',
});
const changed = (change: (config: Config) => void): string => {
  const altered = config();
  change(altered);
  return stringify(altered);
};

test('what we render is read as it was', async (t) => {
  t.deepEqual(await readKubeconfigParts(renderKubeconfig(input), 'it'), input);
});

const dropped: Record<string, (config: Config) => void> = {
  'a program to be run': ({ users }) =>
    (users[0].user['exec'] = { apiVersion: 'client.authentication.k8s.io/v1', command: '/tmp/evil' }),
  'an auth provider': ({ users }) =>
    (users[0].user['auth-provider'] = { name: 'gcp', config: { 'cmd-path': '/tmp/evil' } }),
  'a file with a token': ({ users }) => (users[0].user['tokenFile'] = '/etc/shadow'),
  'a file with a key': ({ users }) => (users[0].user['client-key'] = '/root/.ssh/id_ed25519'),
  'somebody to be impersonated': ({ users }) => (users[0].user['as'] = 'root'),
  'a proxy': ({ clusters }) => (clusters[0].cluster['proxy-url'] = 'http://192.0.2.1:3128'),
  'leave to trust anybody': ({ clusters }) => (clusters[0].cluster['insecure-skip-tls-verify'] = true),
};
for (const [what, change] of Object.entries(dropped)) {
  test(`${what} is not taken over`, async (t) => {
    const parts = await readKubeconfigParts(changed(change), 'it');
    t.is(renderKubeconfig(parts), renderKubeconfig(input));
  });
}

const refused: Record<string, string> = {
  nothing: '',
  'no YAML': '\0{',
  'something endless': 'a'.repeat(300_000),
  'names that stand for each other': 'a: &a [x]\nb: *a\n',
  'a server without TLS': changed(
    ({ clusters }) => (clusters[0].cluster['server'] = 'http://127.0.0.1:6443'),
  ),
  'a server with a password': changed(
    ({ clusters }) => (clusters[0].cluster['server'] = 'https://a:b@127.0.0.1:6443'),
  ),
  'a server with a path': changed(
    ({ clusters }) => (clusters[0].cluster['server'] = 'https://127.0.0.1:6443/x'),
  ),
  'an authority in a file': changed(({ clusters }) => {
    delete clusters[0].cluster['certificate-authority-data'];
    clusters[0].cluster['certificate-authority'] = '/etc/passwd';
  }),
  'an authority that is no certificate': changed(
    ({ clusters }) => (clusters[0].cluster['certificate-authority-data'] = base64('x')),
  ),
  'the key of another certificate': changed(
    ({ users }) => (users[0].user['client-key-data'] = base64(other.keyPem)),
  ),
  'a program instead of a key': changed(({ users }) => (users[0].user = { exec: { command: '/tmp/evil' } })),
  'a context that is none of ours': changed((altered) => {
    altered['current-context'] = '$(reboot)';
    altered.contexts[0].name = '$(reboot)';
  }),
};
for (const [what, text] of Object.entries(refused)) {
  test(`${what} is refused`, async (t) => {
    await t.throwsAsync(readKubeconfigParts(text, 'it'), { code: 'kubeconfig-invalid' });
  });
}
