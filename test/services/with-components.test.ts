import test from 'ava';
import { nodeServices } from '#src/plan/node-services.js';
import { runtimes } from '#src/runtimes/table.js';
import { withComponents } from '#src/services/with-components.js';
import type { Components } from '#src/settings/components.js';
import type { U7sError } from '#src/lib/errors.js';
import { contextWith } from './context.js';

function service(name: string, components: Components, input = {}) {
  const context = contextWith({ components, ...input });
  const services = withComponents(nodeServices(context, runtimes.containerd), context.settings);
  const found = services.find((each) => each.name === name);
  const config = found?.files.find(({ path }) => path.endsWith(`/${name}.json`))?.content ?? '{}';
  return { args: found?.args ?? [], config: JSON.parse(config) as Record<string, unknown> };
}

test('an argument is added, one of ours that is free is replaced, a list is lengthened', (t) => {
  const { args } = service('kube-apiserver', {
    kubeApiserver: {
      args: { 'event-ttl': '2h', profiling: true, 'enable-admission-plugins': ['AlwaysPullImages'] },
    },
  });
  t.true(args.includes('--event-ttl=2h'));
  t.true(args.includes('--profiling=true') && !args.includes('--profiling=false'));
  t.true(args.some((arg) => /^--enable-admission-plugins=.*NodeRestriction.*,AlwaysPullImages$/.test(arg)));
});

test('fields of a configuration are added; maps keep what is not named', (t) => {
  const { config } = service('kubelet', {
    kubelet: { config: { maxPods: 50, evictionHard: { 'nodefs.available': '2Gi' } } },
  });
  t.like(config, { maxPods: 50, evictionHard: { 'nodefs.available': '2Gi', 'imagefs.available': '1Gi' } });
});

const refused: Record<string, [Components, RegExp]> = {
  'the network of Services': [
    { kubeApiserver: { args: { 'service-cluster-ip-range': '10.9.0.0/16' } } },
    /serviceCidr/,
  ],
  'the name of the node': [{ kubelet: { args: { 'hostname-override': 'b' } } }, /nodeName/],
  'a field that is ours': [{ kubelet: { config: { clusterDNS: ['192.0.2.1'] } } }, /dnsAddress/],
  'the old flag of such a field': [{ kubelet: { args: { 'cluster-dns': '192.0.2.1' } } }, /dnsAddress/],
  'what no setting changes': [{ etcd: { args: { 'data-dir': '/tmp' } } }, /remove it/],
};
for (const [what, [components, fix]] of Object.entries(refused)) {
  test(`refused with what to use instead: ${what}`, (t) => {
    const error = t.throws<U7sError>(() => service('kubelet', components), { code: 'setting-invalid' });
    t.regex(JSON.stringify(error?.fixes), fix);
  });
}

test('a component without a configuration file has no fields', (t) => {
  t.throws(() => service('etcd', { etcd: { config: { a: 1 } } }), { code: 'setting-invalid' });
});

test('feature gates reach every component, taints and served APIs theirs', (t) => {
  const input = {
    featureGates: { SomeGate: true },
    runtimeConfig: { 'resource.k8s.io/v1beta1': true },
    nodeTaints: ['gpu=yes:NoSchedule', 'idle:NoExecute'],
  };
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])
    t.true(service(name, {}, input).args.includes('--feature-gates=SomeGate=true'), name);
  t.true(service('kube-apiserver', {}, input).args.includes('--runtime-config=resource.k8s.io/v1beta1=true'));
  t.like(service('kube-proxy', {}, input).config, { featureGates: { SomeGate: true } });
  t.like(service('kubelet', {}, input).config, {
    featureGates: { SomeGate: true, KubeletInUserNamespace: true },
    registerWithTaints: [
      { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
      { key: 'idle', value: '', effect: 'NoExecute' },
    ],
  });
});
