import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { nameserver, type Nameserver } from '../../nameserver.js';
import { temporary } from '../../temporary.js';
import { busyboxImage } from '../pods.js';
import { until } from '../running-cluster.js';
import { kubectl, ok, sh, type Result } from '../shell.js';

const hostPaths = ['/opt/kept', '/var/lib/kept/deep', '/srv/kept', '/mnt/kept'];

/** Writes where charts write on the node, and looks at the whole of it as node-exporter does. */
export function writer(): object {
  const volumes = [
    ...hostPaths.map((path, index) => ({
      name: `v${index}`,
      hostPath: { path, type: 'DirectoryOrCreate' },
    })),
    { name: 'host', hostPath: { path: '/' } },
  ];
  const volumeMounts = [
    ...hostPaths.map((path, index) => ({ name: `v${index}`, mountPath: path })),
    { name: 'host', mountPath: '/host', readOnly: true, mountPropagation: 'HostToContainer' },
  ];
  const command = ['sleep', '1000000'];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'writer' },
    spec: {
      terminationGracePeriodSeconds: 1,
      volumes,
      containers: [{ name: 'main', image: busyboxImage, imagePullPolicy: 'Never', command, volumeMounts }],
    },
  };
}

const inWriter = (script: string): Promise<string> => kubectl('exec', 'writer', '--', 'sh', '-c', script);

export const write = (): Promise<string> =>
  inWriter(hostPaths.map((path) => `echo ${path} > ${path}/file`).join(' && '));

export async function stillWritten(t: ExecutionContext): Promise<void> {
  await kubectl('wait', 'pod/writer', '--for=condition=Ready', '--timeout=90s');
  const found = await inWriter(`cat ${hostPaths.map((path) => `${path}/file`).join(' ')}`);
  t.deepEqual(found.trim().split('\n'), hostPaths);
  t.regex(await inWriter('ls /host/var/lib'), /^kept$/m);
}

/** The second of the host's two nameservers; nobody is at the first. */
const [nobody, address] = ['127.53.0.1', '127.53.0.2'];
let server: Promise<Nameserver> | undefined;

export type Resolver = {
  /** Runs a command on a host that has these nameservers. */
  sh: typeof sh;
  search: (domain: string) => Promise<void>;
};

export async function ownResolver(t: ExecutionContext): Promise<Resolver> {
  server ??= nameserver(address, 53, { 'wiki.corp.example': '192.0.2.7' });
  await server;
  const file = join(await temporary(t), 'resolv.conf');
  const search = (domain: string): Promise<void> =>
    writeFile(file, `nameserver ${nobody}\nnameserver ${address}\nsearch ${domain}\n`);
  await search('corp.example');
  const mounted = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  return {
    search,
    sh: (command, args = [], options = {}): Promise<Result> =>
      sh('unshare', ['--mount', 'sh', '-c', mounted, file, command, ...args], options),
  };
}

export async function namesAsOnHost(t: ExecutionContext, { search }: Resolver): Promise<void> {
  const lookUp = (name: string) => sh('./kubectl.sh', ['exec', 'writer', '--', 'nslookup', name]);
  await until(async () => (await lookUp('wiki.corp.example')).stdout.includes('192.0.2.7'));
  const resolvers = await ok('bin/u7s.js', ['shell', '--', 'cat', '/etc/resolv.conf']);
  t.regex(resolvers, /^search corp\.example$/m);
  t.regex(await inWriter('cat /etc/resolv.conf'), /^search .*cluster\.local corp\.example$/m);
  await search('elsewhere.example');
  await until(async () => {
    const now = await ok('bin/u7s.js', ['shell', '--', 'cat', '/etc/resolv.conf']);
    return now.includes('elsewhere.example');
  }, 10_000);
}
