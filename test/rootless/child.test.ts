import test from 'ava';
import { namespaceSetup } from '#src/rootless/child.js';

const folders = {
  kubelet: '/s/kubelet',
  cni: '/s/cni',
  podLogs: '/s/pod-logs',
  volumes: '/s/volumes',
  hostPaths: '/s/host-paths',
};
const runtime = {
  remove: ['/run/containerd', '/var/lib/containerd'],
  binds: [{ source: '/s/containerd', target: '/var/lib/containerd' }],
  links: {},
};
const view = { hidden: [], readOnly: [] };
const dns = { address: '10.0.2.3', folder: '/r/dns' };
const closed = { linkLocal: 'closed' as const, hostAddress: '10.0.2.110', doors: [], dns };

test('the node keeps its data in the state folder and its sockets in memory', (t) => {
  t.snapshot(namespaceSetup(folders, runtime, view, { backend: 'iptables' }, closed));
});

test('where legacy iptables is to be used it has the plain name, for everybody in the node', (t) => {
  const { links } = namespaceSetup(
    folders,
    runtime,
    view,
    { backend: 'iptables', legacyFolder: '/usr/sbin' },
    closed,
  );
  t.is(links['/run/usernetes/sbin/iptables-restore'], '/usr/sbin/iptables-legacy-restore');
  t.is(links['/run/usernetes/sbin/ip6tables'], '/usr/sbin/ip6tables-legacy');
});

test('nothing is mounted over a folder whose copied-up link still leads to the host', (t) => {
  const { remove, binds, tmpfs } = namespaceSetup(folders, runtime, view, { backend: 'iptables' }, closed);
  const mounted = [...binds.map(({ target }) => target), ...tmpfs];
  for (const target of mounted.filter((path) => /^\/(run|var\/lib|opt|etc)\//.test(path))) {
    t.true(
      remove.some((path) => target === path || target.startsWith(`${path}/`)),
      target,
    );
  }
});

test('a packet to a Service is refused where it would leave the node unserved', (t) => {
  const { commands } = namespaceSetup(
    folders,
    runtime,
    view,
    { backend: 'iptables' },
    { ...closed, serviceCidr: '10.0.0.0/24' },
  );
  const refusal = (chain: string): string[] => [
    ...['iptables', '-w', '-A', chain, '-d', '10.0.0.0/24', '-j', 'REJECT'],
  ];
  t.deepEqual(commands, [refusal('FORWARD'), refusal('OUTPUT')]);
});

test('nothing is sent to the metadata services of clouds, unless that is asked for', (t) => {
  const prohibited = (linkLocal: 'closed' | 'open') =>
    namespaceSetup(folders, runtime, view, { backend: 'nftables' }, { ...closed, linkLocal }).prohibited;
  t.deepEqual(prohibited('closed'), ['169.254.0.0/16', 'fd00:ec2::254/128']);
  t.deepEqual(prohibited('open'), []);
});
