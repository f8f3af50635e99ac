import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KubeClient } from '#src/kube/client.js';
import { connect } from '#src/kube/connect.js';
import { KubeError } from '#src/kube/errors.js';
import { identityFiles } from '#src/pki/identity.js';
import { runOk } from '#src/lib/exec.js';

export type FileFacts = { mode: number; uid: number };
export type Handshakes = { refusesOld: boolean; cipher: string };

/** What is looked at: processes as they run, files as they are, answers of the API. Never the source. */
export type RunningCluster = {
  /** The flags that a component was started with; a flag without a value is `true`. */
  flagsOf: (component: string) => Readonly<Record<string, string>>;
  /** Of the account. */
  uid: number;
  pki: string;
  state: string;
  /** Undefined if there is no such file in the node. */
  file: (path: string) => Promise<FileFacts | undefined>;
  filesIn: (folder: string) => Promise<string[]>;
  json: (path: string) => Promise<Record<string, unknown>>;
  text: (path: string) => Promise<string>;
  kubelet: Readonly<Record<string, unknown>>;
  tls: (component: string) => Handshakes;
  get: <T>(path: string) => Promise<T>;
  /** The status that the API answers with. */
  statusOf: (method: string, path: string, body?: object) => Promise<number>;
  /** The same to somebody without a certificate. */
  anonymousStatusOf: (path: string) => Promise<number>;
};

const ports: Record<string, (flags: Record<string, string>) => number> = {
  'kube-apiserver': (flags) => Number(flags['secure-port']),
  kubelet: () => 10250,
  'kube-controller-manager': () => 10257,
  'kube-scheduler': () => 10259,
  etcd: (flags) => Number(new URL(flags['listen-client-urls'] ?? '').port),
};

/** Looks at the running cluster of that name, as root or as its account. */
export async function runningCluster(name: string): Promise<RunningCluster> {
  const u7s = (...args: string[]): Promise<string> =>
    runOk(process.execPath, ['bin/u7s.js', '--cluster', name, ...args]);
  const { services } = JSON.parse(await u7s('status', '-o', 'json')) as {
    services: { name: string; hostPid?: number }[];
  };
  const pids = new Map(services.map((each) => [each.name, each.hostPid]));
  const flags = new Map<string, Record<string, string>>();
  for (const [component, pid] of pids) if (pid !== undefined) flags.set(component, await flagsOf(pid));
  const flagsOfComponent = (component: string): Record<string, string> => flags.get(component) ?? {};

  const pki = dirname(flagsOfComponent('kube-apiserver')['tls-cert-file'] ?? '');
  const server = `https://127.0.0.1:${flagsOfComponent('kube-apiserver')['secure-port'] ?? ''}`;
  const client = await connect({ server, ...identityFiles(pki, 'admin') });
  const inNode = (path: string): string => `/proc/${pids.get('kubelet') ?? 0}/root${path}`;
  const { items } = await client.get<{ items: { metadata: { name: string } }[] }>('/api/v1/nodes');
  const { kubeletconfig } = await client.get<{ kubeletconfig: Record<string, unknown> }>(
    `/api/v1/nodes/${items[0]?.metadata.name ?? ''}/proxy/configz`,
  );
  ports['kubelet'] = () => Number(kubeletconfig['port']);
  const targets = Object.entries(ports).map(([component, port]) => [
    component,
    port(flagsOfComponent(component)),
  ]);
  const handshakes = JSON.parse(
    await u7s('shell', '--', process.execPath, '-e', shakeHands, JSON.stringify(targets)),
  ) as Record<string, Handshakes>;
  const { uid } = await stat(pki);
  return {
    flagsOf: flagsOfComponent,
    uid,
    pki,
    state: dirname(pki),
    file: (path) =>
      stat(inNode(path)).then(
        ({ mode, uid }) => ({ mode: mode & 0o777, uid }),
        () => undefined,
      ),
    filesIn: async (folder) =>
      (await readdir(inNode(folder)).catch(() => [])).map((file) => join(folder, file)),
    json: async (path) => JSON.parse(await readFile(inNode(path), 'utf8')) as Record<string, unknown>,
    text: (path) => readFile(inNode(path), 'utf8'),
    kubelet: kubeletconfig,
    tls: (component) => handshakes[component] ?? { refusesOld: false, cipher: 'none' },
    get: (path) => client.get(path),
    statusOf: (method, path, body) => statusOf(client, method, path, body),
    anonymousStatusOf: async (path) =>
      Number(await u7s('shell', '--', process.execPath, '-e', ask, `${server}${path}`)),
  };
}

async function flagsOf(pid: number): Promise<Record<string, string>> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8'))
    .split('\0')
    .filter((word) => word.startsWith('--'));
  return Object.fromEntries(
    words.map((word) => {
      const [, flag = '', value = 'true'] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      return [flag, value];
    }),
  );
}

async function statusOf(client: KubeClient, method: string, path: string, body?: object): Promise<number> {
  try {
    await client.request(method, path, body === undefined ? {} : { body });
    return 200;
  } catch (error) {
    if (error instanceof KubeError) return error.status;
    throw error;
  }
}

/** Both run in the node's network, where every component is reached. */
const shakeHands = `
  const { connect } = require('node:tls');
  const shake = (port, maxVersion) => new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, minVersion: 'TLSv1.2', maxVersion });
    socket.once('secureConnect', () => { resolve(socket.getCipher().name); socket.destroy(); });
    socket.once('error', () => resolve(undefined));
  });
  (async () => {
    const found = {};
    for (const [name, port] of JSON.parse(process.argv[1]))
      found[name] = { refusesOld: (await shake(port, 'TLSv1.2')) === undefined, cipher: (await shake(port, 'TLSv1.3')) ?? 'none' };
    console.log(JSON.stringify(found));
  })();`;
const ask = `
  require('node:https').get(process.argv[1], { rejectUnauthorized: false }, (response) => {
    console.log(response.statusCode);
    process.exit();
  });`;
