import test from 'ava';
import { rootlessKitCommand } from '#src/rootless/parent.js';

const options = {
  rootlesskit: '/bin/rootlesskit',
  slirp4netns: '/bin/slirp4netns',
  stateDir: '/run/user/1001/usernetes/rootlesskit',
  mtu: 65520,
  cidr: '10.0.2.0/24',
  publish: ['127.0.0.1:6443:6443/tcp'],
  cgroups: 'none',
  child: ['node', 'supervise.js'],
} as const;

test('RootlessKit gets its own namespaces, a closed host loopback and a sandboxed slirp4netns', (t) => {
  t.snapshot(rootlessKitCommand({ ...options, publish: [...options.publish], child: [...options.child] }));
});

test('with delegated cgroups the processes are moved so that controllers can be handed down', (t) => {
  const { args } = rootlessKitCommand({ ...options, cgroups: 'delegated', publish: [], child: ['true'] });
  t.true(args.includes('--evacuate-cgroup2=evac'));
});
