import test from 'ava';
import { parse } from 'yaml';
import { renderComponentKubeconfig, renderKubeconfig } from '#src/kube/kubeconfig.js';

test('a kubeconfig that stands alone embeds everything', (t) => {
  const text = renderKubeconfig({
    name: 'usernetes-lab',
    server: 'https://127.0.0.1:6443',
    caPem: 'CA',
    certPem: 'CERT',
    keyPem: 'KEY',
  });
  t.deepEqual(parse(text), {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'usernetes-lab',
        cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'Q0E=' },
      },
    ],
    contexts: [{ name: 'usernetes-lab', context: { cluster: 'usernetes-lab', user: 'usernetes-lab' } }],
    'current-context': 'usernetes-lab',
    users: [
      { name: 'usernetes-lab', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } },
    ],
  });
});

test('a component’s kubeconfig refers to its files', (t) => {
  const files = {
    caFile: '/state/a: b/ca.crt',
    certFile: '/state/kubelet.crt',
    keyFile: '/state/kubelet.key',
  };
  const text = renderComponentKubeconfig({ server: 'https://127.0.0.1:6443', ...files });
  const { clusters, users } = parse(text) as Record<string, [{ cluster?: unknown; user?: unknown }]>;
  t.deepEqual(clusters?.[0].cluster, {
    server: 'https://127.0.0.1:6443',
    'certificate-authority': '/state/a: b/ca.crt',
  });
  t.deepEqual(users?.[0].user, {
    'client-certificate': '/state/kubelet.crt',
    'client-key': '/state/kubelet.key',
  });
});
