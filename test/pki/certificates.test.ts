import test from 'ava';
import { certificateTable } from '#src/pki/certificates.js';

const input = {
  nodeName: 'node1',
  nodeAddress: '10.0.2.100',
  serviceAddress: '10.0.0.1',
  dnsDomain: 'cluster.local',
  apiAddress: '192.0.2.7',
};

const hostsOf = (apiAddress: string): string[] =>
  certificateTable({ ...input, apiAddress }).find(({ name }) => name === 'kube-apiserver')?.hosts ?? [];

test('every client has an identity of its own', (t) => {
  const identities = certificateTable(input)
    .filter(({ usage }) => usage === 'client')
    .map(({ name, authority, organization, commonName }) =>
      [name, authority, `${organization ?? ''}/${commonName}`].join(' '),
    );
  t.deepEqual(identities, [
    'kube-apiserver-kubelet-client ca /kube-apiserver-kubelet-client',
    'kube-apiserver-etcd-client etcd-ca /kube-apiserver-etcd-client',
    'front-proxy-client front-proxy-ca /front-proxy-client',
    'kubelet ca system:nodes/system:node:node1',
    'kube-controller-manager ca /system:kube-controller-manager',
    'kube-scheduler ca /system:kube-scheduler',
    'kube-proxy ca /system:kube-proxy',
    'port-publisher ca /usernetes:port-publisher',
    'local-storage ca usernetes:local-storage/usernetes:local-storage:node1',
    'network-policies ca usernetes:network-policies/usernetes:network-policies:node1',
    'metrics ca /usernetes:metrics-server',
    'admin ca system:masters/kubernetes-admin',
  ]);
});

test('only the admin bypasses authorization', (t) => {
  const masters = certificateTable(input).filter(({ organization }) => organization === 'system:masters');
  t.deepEqual(
    masters.map(({ name }) => name),
    ['admin'],
  );
});

test('the API server answers to each name that it is reached by', (t) => {
  t.deepEqual(hostsOf('192.0.2.7'), [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'node1',
    'localhost',
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '10.0.2.100',
    '192.0.2.7',
  ]);
});

test('an address it is published on is named once, and a wildcard not at all', (t) => {
  t.is(hostsOf('127.0.0.1').filter((host) => host === '127.0.0.1').length, 1);
  t.false(hostsOf('0.0.0.0').includes('0.0.0.0'));
});

test('no two certificates share a file', (t) => {
  const names = certificateTable(input).map(({ name }) => name);
  t.is(new Set(names).size, names.length);
});
