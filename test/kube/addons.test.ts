import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import { U7sError } from '#src/lib/errors.js';
import { applyAddons, loadAddons, removeObjects } from '#src/kube/addons.js';
import { KubeError } from '#src/kube/errors.js';
import { clientOf, json, line, removePki } from './fake-api.js';
import { temporary } from '../temporary.js';

test.after.always(removePki);

const values = {
  DNS_ADDRESS: '10.0.0.53',
  DNS_DOMAIN: 'cluster.local',
  HOST_ADDRESS: '10.0.2.110',
  HOST_NAMES: 'host.usernetes.internal',
  COREDNS_IMAGE: 'localhost/coredns:v1',
  ROOT_CA: JSON.stringify('-----BEGIN CERTIFICATE-----\nMII\n'),
  KUBELET_CA: '"pem"',
};

async function folderWith(t: ExecutionContext, files: Record<string, string>): Promise<string> {
  const dir = await temporary(t);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text)));
  return dir;
}

const configMap = (name: string, data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { a: "${data}" }\n`;

test('every document of every manifest is read, with its placeholders filled', async (t) => {
  const dir = await folderWith(t, {
    'b.yaml': `# a comment alone\n---\n${configMap('b1', '${X}-${Y}-${X}')}---\n${configMap('b2', '$X')}`,
    'a.yaml': configMap('a', 'plain'),
    'README.md': 'no manifest',
  });
  const objects = await loadAddons(dir, { X: '1', Y: '$&' });
  t.deepEqual(
    objects.map(({ metadata, data }) => [metadata.name, data]),
    [
      ['a', { a: 'plain' }],
      ['b1', { a: '1-$&-1' }],
      ['b2', { a: '$X' }],
    ],
  );
});

for (const [what, text, message] of [
  ['an unknown placeholder', configMap('a', '${WHO}'), /x\.yaml has .*\$\{WHO\}/],
  ['no YAML', 'a: [', /is not YAML/],
  ['something that is no object', 'hello: world', /without apiVersion, kind or metadata.name/],
] as const) {
  test(`${what} is an error that names the file`, async (t) => {
    const dir = await folderWith(t, { 'x.yaml': text });
    const error = await t.throwsAsync(loadAddons(dir, {}), {
      instanceOf: U7sError,
      code: 'manifest-invalid',
      message,
    });
    t.true(error.message.includes(join(dir, 'x.yaml')));
  });
}

test('our own manifests: the authority as pods will read it, line by line', async (t) => {
  const objects = await loadAddons('config/manifests', values);
  const authorities = objects.filter(({ metadata }) => metadata.name === 'kube-root-ca.crt');
  t.deepEqual(
    authorities.map(({ metadata, data }) => [metadata.namespace, data]),
    ['default', 'kube-system'].map((namespace) => [
      namespace,
      { 'ca.crt': '-----BEGIN CERTIFICATE-----\nMII\n' },
    ]),
  );
});

test('our own manifests: DNS at its address, from an image that no registry is asked for', async (t) => {
  const objects = await loadAddons('config/manifests', values);
  const find = (kind: string, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name);
  t.like(find('Service', 'kube-dns'), { spec: { clusterIP: '10.0.0.53' } });
  t.like(find('Deployment', 'coredns'), {
    spec: {
      template: {
        spec: { containers: { 0: { image: 'localhost/coredns:v1', imagePullPolicy: 'Never' } } },
      },
    },
  });
  const { Corefile } = find('ConfigMap', 'coredns')?.['data'] as Record<string, string>;
  t.regex(Corefile ?? '', /kubernetes cluster\.local in-addr\.arpa/);
  t.like(find('ClusterRoleBinding', 'usernetes:kubelet-api-admin'), {
    roleRef: { kind: 'ClusterRole', name: 'system:kubelet-api-admin' },
    subjects: { 0: { kind: 'User', name: 'kube-apiserver-kubelet-client' } },
  });
});

test('a class of volumes is made, and left as it is where it is there already', async (t) => {
  const asked: string[] = [];
  const client = await clientOf(t, (request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    json(response, 409, { kind: 'Status', status: 'Failure', reason: 'AlreadyExists', code: 409 });
  });
  const local = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'local' } };
  await applyAddons(client, [local], new AbortController().signal);
  t.deepEqual(asked, ['POST /apis/storage.k8s.io/v1/storageclasses']);
});

test('our own manifests: one class of volumes is the default, and each waits for the pod', async (t) => {
  const classes = (await loadAddons('config/manifests/storage', {})).filter(
    ({ kind }) => kind === 'StorageClass',
  );
  t.deepEqual(classes.map(({ metadata }) => metadata.name).sort(), ['local', 'local-path', 'standard']);
  const key = 'storageclass.kubernetes.io/is-default-class';
  const defaults = classes.filter(
    ({ metadata }) => (metadata['annotations'] as Record<string, string>)?.[key],
  );
  t.deepEqual(
    defaults.map(({ metadata }) => metadata.name),
    ['local'],
  );
  t.true(classes.every((each) => each['volumeBindingMode'] === 'WaitForFirstConsumer'));
});

test('add-ons are applied once their namespace is there, workloads last, over a passing failure', async (t) => {
  const applied: string[] = [];
  let namespaceThere = false;
  let failures = 1;
  const client = await clientOf(t, (request, response) => {
    if (request.url?.startsWith('/api/v1/namespaces?')) {
      setImmediate(() => {
        namespaceThere = true;
        response.write(line('ADDED', { metadata: { name: 'kube-system' } }));
      });
    } else if (!namespaceThere) json(response, 404, { message: 'no namespace' });
    else if (failures-- > 0) json(response, 503, { message: 'not ready' });
    else {
      applied.push(request.url?.split('/').at(-1)?.split('?')[0] ?? '');
      json(response, 200, {});
    }
  });
  const metadata = (name: string) => ({ name, namespace: 'kube-system' });
  const many = Array.from({ length: 12 }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(`config-${index}`),
  }));
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata('dns') };
  await applyAddons(client, [deployment, ...many], new AbortController().signal);
  t.is(applied.length, 13);
  t.is(applied.at(-1), 'dns');
});

test('an add-on that is refused fails the whole', async (t) => {
  const client = await clientOf(t, (_request, response) => json(response, 422, { message: 'spec is wrong' }));
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'r' },
  };
  await t.throwsAsync(applyAddons(client, [binding], new AbortController().signal), {
    instanceOf: KubeError,
    message: /spec is wrong/,
  });
});

test.serial('an answer may take as long as the start may', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const client = await clientOf(t, (_request, response) => {
    mock.timers.tick(10 * 60_000);
    json(response, 200, {});
  });
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'r' },
  };
  await t.notThrowsAsync(applyAddons(client, [binding], new AbortController().signal));
  await t.notThrowsAsync(removeObjects(client, [binding], new AbortController().signal));
});
