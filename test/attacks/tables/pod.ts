import { join } from 'node:path';
import { from, type Attack, type Door } from '../attack.js';
import type { Ground } from '../ground.js';
import type { Hand } from '../hand.js';
import { closedFolders, inState, secretFiles, sockets } from '../secrets.js';

const pod = from('pod');

const kubernetes = (path: string) => ({ host: '10.0.0.1', port: 443, path });
const mounted = '/var/run/secrets/kubernetes.io/serviceaccount/token';

async function tokenIn(hand: Hand): Promise<string> {
  const { stdout, stderr } = await hand.run(['/bin/cat', mounted]);
  if (stdout === '') throw new Error(stderr);
  return stdout;
}

const rights = [
  '/api/v1/secrets',
  '/api/v1/nodes',
  '/api/v1/pods',
  '/api/v1/namespaces/attacks/secrets',
  '/api/v1/namespaces/kube-system/secrets',
  '/api/v1/namespaces/kube-system/configmaps/usernetes',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/metrics',
].map((path) =>
  pod(
    'asks the API with its service account',
    `${path} with the token of a pod`,
    /^403$/,
    async ({ pod }) => {
      const hand = await pod('plain');
      return hand.status({
        ...kubernetes(path),
        headers: { authorization: `Bearer ${await tokenIn(hand)}` },
      });
    },
  ),
);

/** From the network of the node, where they listen on 127.0.0.1. */
const innerPorts: [string, number, string, RegExp][] = [
  ['etcd', 2379, '/version', /CERTIFICATE|ALERT|SSL|ECONNRESET|EPIPE/],
  ['etcd’s peers', 2380, '/members', /CERTIFICATE|ALERT|SSL|ECONNRE|EPIPE/],
  ['the controller manager', 10257, '/metrics', /^40[13]$/],
  ['the controller manager’s configuration', 10257, '/configz', /^40[13]$/],
  ['the controller manager’s profiles', 10257, '/debug/pprof/', /^40[134]$/],
  ['the scheduler', 10259, '/metrics', /^40[13]$/],
  ['the scheduler’s configuration', 10259, '/configz', /^40[13]$/],
  ['the scheduler’s profiles', 10259, '/debug/pprof/', /^40[134]$/],
  ['the kubelet', 10250, '/pods', /^401$/],
  ['the kubelet’s exec', 10250, '/exec/kube-system/x/x?command=id', /^401$/],
  ['the API server', 6443, '/api/v1/secrets', /^401$/],
];
const inner = innerPorts.map(([what, port, path, held]) =>
  pod(
    'asks components from the node’s network',
    `a pod in the node’s network asks ${what}`,
    held,
    async ({ pod }) => (await pod('hostNetwork')).status({ host: '127.0.0.1', port, path }),
  ),
);

const fromAfar: [string, number][] = [
  ['etcd', 2379],
  ['etcd’s peers', 2380],
  ['the controller manager', 10257],
  ['the scheduler', 10259],
  ['kube-proxy’s metrics', 10249],
  ['the kubelet’s health', 10248],
  ['the kubelet’s read-only port', 10255],
];
const remote = fromAfar.map(([what, port]) =>
  pod(
    'reaches inner ports',
    `a pod reaches ${what} at the node’s address`,
    /^ECONNREFUSED$/,
    async ({ pod, control }) => (await pod('plain')).connect({ host: control.address, port }),
  ),
);

const files = [...secretFiles.slice(0, 8), 'admin.kubeconfig' as const].map((name) =>
  pod('reads the account’s files', `a pod reads ${name} by its path`, /^ENOENT$/, async ({ pod, paths }) =>
    (await pod('plain')).read(inState(paths, name)),
  ),
);
const unixSockets = Object.keys(sockets({} as never)).map((title) =>
  pod('reaches sockets', `a pod connects to ${title}`, /^ENOENT$/, async ({ pod, paths }) =>
    (await pod('plain')).connect({ path: sockets(paths)[title] ?? '' }),
  ),
);
const runtimeSockets = ['/run/containerd/containerd.sock', '/run/containerd/s', '/var/run/docker.sock'].map(
  (path) =>
    pod('reaches sockets', `a pod connects to ${path}`, /^ENOENT$/, async ({ pod }) =>
      (await pod('plain')).connect({ path }),
    ),
);

const scripts: [string, string, RegExp][] = [
  ['mounts a file system', 'mount -t tmpfs none /mnt', /Operation not permitted|Permission denied/i],
  ['mounts /proc anew', 'mount -t proc none /mnt', /Operation not permitted|Permission denied/i],
  ['makes the device of a disk', 'mknod /tmp/disk b 254 0', /Operation not permitted/i],
  ['opens the kernel’s memory', 'cat /dev/mem', /No such file|not permitted|denied/i],
  ['reads the kernel’s log', 'cat /dev/kmsg', /No such file|not permitted|denied/i],
  [
    'writes to a kernel setting',
    'echo 1 >/proc/sys/kernel/core_pattern',
    /Read-only|denied|nonexistent|not permitted/i,
  ],
  ['asks the kernel to reboot', 'echo b >/proc/sysrq-trigger', /Read-only|denied|not permitted|nonexistent/i],
  ['remounts /proc/sys', 'mount -o remount,rw,bind /proc/sys', /not permitted|denied/i],
  [
    'enters the namespaces of the first process it sees',
    'nsenter -t 1 -m -n true && ls /run/containerd',
    /No such file|not permitted|denied/i,
  ],
  ['changes an address of its network', 'ip link set eth0 down', /not permitted/i],
  [
    'looks at the processes of the node',
    'ls /proc | while read p; do cat /proc/$p/cmdline 2>/dev/null; done | tr "\\0" " " | { cat; echo end; }',
    /^(?!.*(etcd|kube-apiserver|rootlesskit)).*end/s,
  ],
  ['sees the node’s mounts', 'cat /proc/self/mountinfo | { cat; echo end; }', /^(?!.*\/(pki|etcd)\/).*end/s],
  [
    'reads the environment of the node',
    'cat /proc/1/environ | tr "\\0" "\\n" | { cat; echo end; }',
    /^(?!.*(XDG_RUNTIME_DIR|ROOTLESSKIT)).*end/s,
  ],
];
const breaking = scripts.map(([what, script, held]) =>
  pod('breaks out', `a pod ${what}`, held, async ({ pod }) => {
    const { stdout, stderr } = await (await pod('plain')).run(['/bin/sh', '-c', script]);
    return `${stdout}${stderr}`.trim();
  }),
);

export const podAttacks: readonly Attack[] = [
  ...rights,
  ...inner,
  ...remote,
  ...files,
  ...unixSockets,
  ...runtimeSockets,
  ...breaking,
];

export const podDoors: readonly Door[] = [
  {
    kind: 'asks the API with its service account',
    name: 'the API knows who a pod is',
    open: /system:serviceaccount:attacks:default/,
    opens: async ({ pod }) => {
      const hand = await pod('plain');
      const answer = await hand.ask({
        ...kubernetes('/apis/authentication.k8s.io/v1/selfsubjectreviews'),
        method: 'POST',
        headers: { authorization: `Bearer ${await tokenIn(hand)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
      });
      return 'error' in answer ? answer.error : answer.body;
    },
  },
  {
    kind: 'asks components from the node’s network',
    name: 'they answer to whoever has keys',
    open: /^200 200$/,
    opens: async (ground: Ground) => {
      const hand = await ground.pod('hostNetwork');
      return [
        await hand.status({
          ...{ host: '127.0.0.1', port: 2379, path: '/version' },
          ...(await ground.keys('kube-apiserver-etcd-client')),
        }),
        await hand.status({
          ...{ host: '127.0.0.1', port: 10257, path: '/metrics' },
          ...(await ground.keys('admin')),
        }),
      ].join(' ');
    },
  },
  {
    kind: 'breaks out',
    name: 'a pod runs scripts, as root in itself',
    open: /^uid=0/,
    opens: async ({ pod }) => (await (await pod('plain')).run(['/bin/sh', '-c', 'id'])).stdout,
  },
  {
    kind: 'reads the account’s files',
    name: 'the account reads them by the same paths',
    open: /^read$/,
    opens: async ({ owner, paths }) =>
      (await owner()).read(join(closedFolders(paths)['the PKI'] ?? '', 'ca.key')),
  },
];
