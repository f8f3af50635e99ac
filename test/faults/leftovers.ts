import { readFile, readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { below } from '../ordinary-user.js';
import { apiPort, type Subject } from './subject.js';

/** What a cluster that is stopped may not leave, each as a line that names it. */
export async function leftovers(subject: Subject): Promise<string[]> {
  const files = await Promise.all([runtimeFiles(subject), temporaryFiles(subject)]);
  return [...(await running(subject)), ...files.flat()];
}

/** What ends with the cluster even when nobody cleans up. */
export async function running(subject: Subject): Promise<string[]> {
  const found = await Promise.all([processes(subject), mounts(subject), sockets(subject), listener()]);
  return [...found.flat(), ...interfaces()];
}

async function processes(subject: Subject): Promise<string[]> {
  return (await subject.processes()).map(({ pid, title }) => `process ${pid}: ${title}`);
}

async function mounts({ account, paths }: Subject): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table
    .split('\n')
    .filter((line) => line.includes(account.home) || line.includes(paths.runtime))
    .map((line) => `mount ${line}`);
}

/** Those that have a name in the file system, bound or not yet gone. */
async function sockets({ account, paths }: Subject): Promise<string[]> {
  const table = await readFile('/proc/net/unix', 'utf8');
  return table
    .split('\n')
    .filter((line) => line.includes(paths.runtime) || line.includes(account.home))
    .map((line) => `socket ${line.trim().split(/\s+/).at(-1)}`);
}

async function runtimeFiles({ paths }: Subject): Promise<string[]> {
  return (await below(paths.runtime)).map((path) => `file ${path}`);
}

/** Of ours: what services keep in their own folders, as etcd's log to come, is theirs. */
async function temporaryFiles({ account, paths }: Subject): Promise<string[]> {
  const ours = await Promise.all([
    readdir(paths.state),
    below(paths.pki),
    below(paths.etc),
    below(paths.images),
  ]);
  const halfWritten = ours
    .flat()
    .filter((path) => /\.(tmp|partial)$|\.lock(\.|$)|\.[0-9a-f]{12}$/.test(path))
    .map((path) => `temporary file ${path}`);
  const shared = await Promise.all(
    (await readdir(tmpdir())).map(async (name) => {
      const path = join(tmpdir(), name);
      const owner = await stat(path).catch(() => undefined);
      return owner?.uid === account.uid ? [`temporary file ${path}`] : [];
    }),
  );
  return [...halfWritten, ...shared.flat()];
}

/** None of the node's may ever show on the host. */
function interfaces(): string[] {
  return Object.keys(networkInterfaces())
    .filter((name) => /^(cni0|tap0|flannel\.1)$/.test(name))
    .map((name) => `network interface ${name}`);
}

async function listener(): Promise<string[]> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', (error) => resolve([`listener on port ${apiPort}: ${error.message}`]))
      .listen(apiPort, '127.0.0.1', () => server.close(() => resolve([])));
  });
}
