import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { account } from './account.js';
import { loadBusybox, pod, serve } from './pods.js';
import { apply, kubectl, ok, sh } from './shell.js';

/** Ports published by hand, as docs/ports.md tells. The tests build on one another, in this order; they have a cluster of their own. */
process.env['U7S_CLUSTER'] = 'ports';
process.env['U7S_API_PORT'] = '6501';

test.before('a cluster with a Service that nothing publishes', async (t) => {
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await sh('./cleanup.sh');
  await ok('./run.sh', ['--init-host', 'default-containerd', '-d']);
  await loadBusybox();
  await apply(pod('web', serve(8080, 'it-works'), { port: 8080 }), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await kubectl('wait', 'pod/web', '--for=condition=Ready', '--timeout=60s');
});

test.after.always('the cluster is removed', async () => {
  await sh('./cleanup.sh');
});

test.serial('a pod can ping the gateway', async (t) => {
  t.regex(
    await kubectl('exec', 'web', '--', 'ping', '-c', '1', '-w', '10', '10.0.2.2'),
    /1 packets received/,
  );
});

test.serial(
  'by add-ports and socat in the namespaces a Service is reached from the host, by all its addresses',
  async (t) => {
    t.is(await ok('./rootlessctl.sh', ['add-ports', '0.0.0.0:8080:80/tcp']), '2');

    const { uid, name } = await account();
    const childPid = (
      await readFile(`/run/user/${uid}/usernetes-ports/rootlesskit/child_pid`, 'utf8')
    ).trim();
    const asUser = ['--reuid', name, '--regid', name, '--init-groups', '--'];
    const inside = ['nsenter', '-U', '--preserve-credentials', '-n', '-t', childPid];
    const forward = ['socat', 'tcp-listen:80,fork,reuseaddr', `tcp:${await clusterIP()}:80`];
    const socat = spawn('setpriv', [...asUser, ...inside, ...forward], { stdio: 'inherit' });
    t.teardown(() => socat.kill());

    for (const address of ['127.0.0.1', ...ownAddresses()])
      t.is(await answerOf(address, 8080), 'it-works\n', address);
  },
);

test.serial('or by add-ports alone, to the address of the Service', async (t) => {
  t.is(await ok('./rootlessctl.sh', ['add-ports', `127.0.0.1:8081:${await clusterIP()}:80/tcp`]), '3');
  t.is(await answerOf('127.0.0.1', 8081), 'it-works\n');
});

test.serial('another user cannot reach RootlessKit', async (t) => {
  const { uid } = await account();
  const socket = `/run/user/${uid}/usernetes-ports/rootlesskit/api.sock`;
  const connecting = `require('net').connect('${socket}').on('connect', () => console.log('connected')).on('error', (e) => console.log(e.code))`;
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  t.is(await ok('setpriv', [...nobody, process.execPath, '-e', connecting]), 'EACCES');
});

test.serial(
  'what was published by hand survives a restart; what the description publishes has its own owner',
  async (t) => {
    const service = await clusterIP();
    await ok('bin/u7s.js', ['down']);
    const { home } = await account();
    t.is((await stat(join(home, '.local/state/usernetes/ports/ports.json'))).mode & 0o777, 0o600);
    await ok('./run.sh', [
      'default-containerd',
      '-d',
      '--publish',
      '127.0.0.1:8082:82/tcp',
      '--publish',
      '127.0.0.1:8082:82/udp',
    ]);
    t.deepEqual(await ports(), {
      '127.0.0.1:6501 → 6501/tcp': 'api-server',
      '127.0.0.1:8082 → 82/tcp': 'config',
      '127.0.0.1:8082 → 82/udp': 'config',
      '0.0.0.0:8080 → 80/tcp': 'manual',
      [`127.0.0.1:8081 → ${service}:80/tcp`]: 'manual',
    });
    t.is(await answerOf('127.0.0.1', 8081), 'it-works\n');
  },
);

test.serial('they are back after a SIGKILL of RootlessKit, too', async (t) => {
  const before = await ports();
  const { uid } = await account();
  const childPid = await readFile(`/run/user/${uid}/usernetes-ports/rootlesskit/child_pid`, 'utf8');
  const [, parent = ''] =
    /^PPid:\t(\d+)$/m.exec(await readFile(`/proc/${childPid.trim()}/status`, 'utf8')) ?? [];
  process.kill(Number(parent), 'SIGKILL');
  t.deepEqual(
    await until(async () => {
      const now = await ports();
      return Object.keys(now).length === Object.keys(before).length ? now : undefined;
    }),
    before,
  );
  t.is(await answerOf('127.0.0.1', 8081), 'it-works\n');
});

test.serial('u7s ports removes what was published by hand, for good, and nothing else', async (t) => {
  const { exitCode, stderr } = await sh('bin/u7s.js', ['ports', 'remove', '1']);
  t.is(exitCode, 1);
  t.regex(stderr, /not published by hand, but for api-server/);
  await ok('bin/u7s.js', ['ports', 'remove', '0.0.0.0:8080:80/tcp']);
  await ok('bin/u7s.js', ['down']);
  process.env['U7S_ROOTLESSKIT_PORTS'] = ' 127.0.0.1:8083:83/tcp  127.0.0.1:8084:84/tcp';
  t.teardown(() => delete process.env['U7S_ROOTLESSKIT_PORTS']);
  await ok('./run.sh', ['default-containerd', '-d']);
  t.deepEqual(Object.values(await ports()).sort(), ['api-server', 'config', 'config', 'manual']);
});

test.serial('a port of the description that is taken ends the start, which says by whom', async (t) => {
  await ok('bin/u7s.js', ['down']);
  const { exitCode, stderr } = await sh('./run.sh', [
    'default-containerd',
    '-d',
    '--publish',
    '127.0.0.1:6501:80/tcp',
  ]);
  t.is(exitCode, 1);
  t.regex(stderr, /error\[[\w-]+\]: 127\.0\.0\.1:6501\/tcp .*ID 1, 127\.0\.0\.1:6501:6501\/tcp\n {2}fix: /);
  t.is((await sh('bin/u7s.js', ['status'])).exitCode, 3);
});

const clusterIP = (): Promise<string> => kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address);
}

/** Where the host's ports lead, and who asked for them. */
async function ports(): Promise<Record<string, string>> {
  const { exitCode, stdout } = await sh('bin/u7s.js', ['ports', '-o', 'json']);
  if (exitCode !== 0) return {};
  const rows = JSON.parse(stdout) as {
    id?: number;
    spec: { proto: string; parentIP: string; parentPort: number; childIP?: string; childPort: number };
    owner: string;
  }[];
  return Object.fromEntries(
    rows
      .filter(({ id }) => id !== undefined)
      .map(({ spec: { proto, parentIP, parentPort, childIP, childPort }, owner }) => [
        `${parentIP}:${parentPort} → ${childIP === undefined ? '' : `${childIP}:`}${childPort}/${proto}`,
        owner,
      ]),
  );
}

/** What is served there; where nothing is yet, connections end without a word. */
function answerOf(address: string, port: number): Promise<string> {
  return until(async () => (await text(connect(port, address)).catch(() => '')) || undefined);
}

/** Asks until the answer is something. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error('it did not come true within 60 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
