import test from 'ava';
import { kubeApiserver } from '#src/services/kube-apiserver.js';
import { kubelet } from '#src/services/kubelet.js';
import { runtimes } from '#src/runtimes/table.js';
import type { SettingsInput } from '#src/settings/schema.js';
import { context, contextWith } from './context.js';

const apiServer = (input: SettingsInput) => {
  const { args, files } = kubeApiserver(contextWith(input));
  const path = args.find((arg) => arg.startsWith('--admission-control-config-file='))?.split('=')[1];
  const { plugins } = JSON.parse(files.find((file) => file.path === path)?.content ?? '') as {
    plugins: { name: string; configuration: { defaults: object; exemptions: object } }[];
  };
  return { args, plugins };
};
const podSecurityOf = (input: SettingsInput) =>
  apiServer(input).plugins.find(({ name }) => name === 'PodSecurity')?.configuration;

test('what pods must meet is a setting, and what the node consists of is exempt', (t) => {
  t.like(podSecurityOf({}), { defaults: { enforce: 'privileged' } });
  t.like(podSecurityOf({ podSecurity: 'baseline' }), {
    defaults: { enforce: 'baseline', audit: 'baseline', warn: 'baseline' },
    exemptions: { namespaces: ['kube-system'] },
  });
});

test('a Service may name external addresses only where that was asked for', (t) => {
  const plugins = (input: SettingsInput) =>
    apiServer(input).args.find((arg) => arg.startsWith('--enable-admission-plugins='));
  t.regex(plugins({}) ?? '', /DenyServiceExternalIPs/);
  t.notRegex(plugins({ externalIps: 'allowed' }) ?? '', /DenyServiceExternalIPs/);
});

const kubeletOf = (cgroups: 'delegated' | 'none') =>
  JSON.parse(kubelet({ ...context, cgroups }, runtimes.containerd).files.at(-1)?.content ?? '') as object;

test('a pod that names no seccomp profile gets the default one', (t) => {
  t.like(kubeletOf('none'), { seccompDefault: true });
});

test('where the node owns its cgroup, no pod may have more than 4096 processes', (t) => {
  t.like(kubeletOf('delegated'), { podPidsLimit: 4096 });
  t.false('podPidsLimit' in kubeletOf('none'));
});

test('Events are limited for each user and namespace, with room for the start of a full node', (t) => {
  const { args, plugins } = apiServer({});
  t.regex(args.find((arg) => arg.startsWith('--enable-admission-plugins=')) ?? '', /EventRateLimit/);
  const found = plugins.find(({ name }) => name === 'EventRateLimit') as unknown as {
    configuration: { limits: { type: string; burst: number }[] };
  };
  t.deepEqual(found.configuration.limits.map(({ type }) => type).sort(), ['Namespace', 'User']);
  t.true(found.configuration.limits.every(({ burst }) => burst >= 600));
});
