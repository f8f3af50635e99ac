import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { run, type RunResult } from '#src/lib/exec.js';
import { parsePortSpec, protocols } from '#src/rootless/port-spec.js';
import { binariesOf } from '../fixtures/images/artifacts.js';
import { fakeRootlessKit } from '../rootless/fake-rootlesskit.js';
import { privateFolder, startRootlessKit, type LiveRootlessKit } from './rootlesskit.js';

/** Our rootlessctl and RootlessKit's own against the real RootlessKit, run by an ordinary user without a cluster. */
const { signal } = new AbortController();
const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

type Rootlessctl = (...args: string[]) => Promise<RunResult>;
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
const ours: Rootlessctl = (...args) => run(process.execPath, ['bin/rootlessctl.js', ...args], { env });
const upstream = binariesOf('rootlesskit').then(({ rootlessctl = '' }) => rootlessctl);
const upstreams: Rootlessctl = async (...args) => run(await upstream, args, { env });

/** Ports on which nothing else listens; taken anew for each test. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

test.serial('the same command lines have the same output and exit codes as upstream’s', async (t) => {
  const folder = await privateFolder(t);
  const [a, b, c, d] = await freePorts(4);
  const script = [
    [],
    ['--version'],
    ['list-ports'],
    ['list-ports', '--json'],
    ['add-ports', `0.0.0.0:${a}:80/tcp`],
    ['add-ports', `127.0.0.1:${b}:10.0.2.100:80/tcp4`, `[::1]:${c}:[::2]:80/udp`],
    ['add-ports', '--json', `[::1]:${b}:8080/tcp6`, `127.0.0.1:${a}:53/udp`],
    ['add-ports', '-json', `:${d}:65535/udp4`],
    ['list-ports'],
    ['list-ports', '--json'],
    ['add-ports', `0.0.0.0:${a}:81/tcp`],
    ['add-ports', `127.0.0.1:${a}:81/tcp`],
    ['add-ports', `0.0.0.0:${b}:81/tcp`],
    ['add-ports', `127.0.0.1:${d}:81/sctp`],
    ['add-ports', '127.0.0.1:0:80/tcp'],
    ['add-ports', '127.0.0.1:65536:80/tcp'],
    ['add-ports', '127.0.0.1:80:80/tcp'],
    ['add-ports', 'bad'],
    ['add-ports', '8080'],
    ['add-ports', `127.0.0.1:${d}:1/tcp,127.0.0.1:${d}:1/udp`],
    ['add-ports', `127.0.0.1:${d}:1/tcp`, '--json'],
    ['add-ports'],
    ['remove-ports', '2', '1'],
    ['remove-ports', '3', '99', '4'],
    ['remove-ports', 'x'],
    ['remove-ports'],
    ['list-ports'],
    ['info'],
    ['info', '--json'],
    ['no-such-command'],
    ['list-ports', '--no-such-option'],
  ];
  const transcript = async (rootlessctl: Rootlessctl): Promise<unknown[]> => {
    const kit = await startRootlessKit(t, folder);
    const results = [];
    for (const args of script) {
      const { exitCode, stdout } = await rootlessctl('--socket', kit.socket, ...args);
      results.push({ args, exitCode, ...(isAboutUsage(args) ? {} : { stdout: comparable(stdout, kit) }) });
    }
    await kit.kill();
    return results;
  };
  t.deepEqual(await transcript(ours), await transcript(upstreams));
});

/** Each has its own words to tell how it is used. */
function isAboutUsage(args: readonly string[]): boolean {
  return args.length === 0 || args.some((word) => word.startsWith('--no-') || word.startsWith('no-'));
}

/** Upstream lists ports in no order; the process is another at each start. */
function comparable(stdout: string, { childPid }: LiveRootlessKit): string {
  const text = stdout
    .replace(`Child PID: ${childPid}`, 'Child PID: 1')
    .replace(`"childPID": ${childPid}`, '"childPID": 1');
  return /^(ID|\{"id")/.test(text) ? text.split('\n').sort().join('\n') : text;
}

test.serial(
  'every spec that ours takes upstream’s takes as the same, and ours refuses what upstream’s refuses',
  async (t) => {
    const { socket, asked } = await fakeRootlessKit(t, ({ body }) => ({
      status: 201,
      body: `{"id":1,"spec":${body}}`,
    }));
    const address = fc.oneof(
      fc.constant(''),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    );
    const port = fc.integer({ min: 1, max: 65535 }).map(String);
    const spec = fc
      .tuple(
        address,
        port,
        fc.oneof(
          fc.constant(''),
          address.map((ip) => `${ip}:`),
        ),
        port,
        fc.constantFrom(...protocols),
      )
      .map(
        ([parent, parentPort, child, childPort, proto]) =>
          `${parent}:${parentPort}:${child}${childPort}/${proto}`,
      );
    const damaged = fc
      .tuple(spec, fc.nat(), fc.constantFrom('', ':', '/', '.', 'x', '[', ']', ','))
      .map(
        ([whole, at, put]) => whole.slice(0, at % whole.length) + put + whole.slice((at % whole.length) + 1),
      );

    /** What it asks of RootlessKit; undefined when it refuses. */
    const upstreamTakes = async (word: string): Promise<unknown> => {
      asked.length = 0;
      await upstreams('--socket', socket, 'add-ports', word);
      const body = asked[0]?.slice('POST /v1/ports '.length);
      return body === undefined ? undefined : JSON.parse(body);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 1, arbitrary: spec }, { weight: 2, arbitrary: damaged }),
        async (word) => {
          const mine = understood(word);
          if (mine !== undefined) t.deepEqual(await upstreamTakes(word), mine, word);
        },
      ),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(spec, async (word) => {
        t.deepEqual(await upstreamTakes(word), understood(word), word);
        t.not(understood(word), undefined, word);
      }),
      { numRuns: 50 },
    );
  },
);

test.serial(
  'a published port leads to a server inside; without one the connection ends, and the port stays',
  async (t) => {
    const kit = await startRootlessKit(t, await privateFolder(t));
    const [port = 0] = await freePorts(1);
    await kit.client.add(parsePortSpec(`127.0.0.1:${port}:80/tcp`), signal);
    t.is(await readAll('127.0.0.1', port), '');
    await serveInside(t, kit, tcpServer, 80);
    t.is(await readAll('127.0.0.1', port), 'you are 127.0.0.1');
  },
);

test.serial('a refusal says who has the port', async (t) => {
  const kit = await startRootlessKit(t, await privateFolder(t));
  const [port = 0] = await freePorts(1);
  const refusal = async (spec: string): Promise<string> =>
    (await ours('--socket', kit.socket, 'add-ports', spec)).stderr;
  t.is((await ours('--socket', kit.socket, 'add-ports', `127.0.0.1:${port}:80/tcp`)).stdout, '1');
  t.regex(
    await refusal(`0.0.0.0:${port}:80/tcp`),
    new RegExp(`conflicts with a published port: ID 1, 127\\.0\\.0\\.1:${port}:80/tcp\n`),
  );
  t.is(await refusal(`127.0.0.1:${port}:80/udp`), '');
  const [other = 0] = await freePorts(1);
  const server = createServer().listen(other, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  t.regex(
    await refusal(`0.0.0.0:${other}:80/tcp`),
    new RegExp(`:${other}/tcp is in use on the host by \\S+ \\(pid ${process.pid}\\)\n`),
  );
  const lowest = Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  if (lowest <= 80) return t.log('this host lets everybody listen on port 80');
  t.regex(
    await refusal('127.0.0.1:80:80/tcp'),
    /^error\[port-privileged\]: the kernel refuses 127\.0\.0\.1:80\/tcp to ordinary users: net\.ipv4\.ip_unprivileged_port_start is \d+\n {2}fix: .*sysctl -w net\.ipv4\.ip_unprivileged_port_start=80$/,
  );
});

test.serial(
  'after a SIGKILL nobody answers; the next start begins without ports, and the old ones are free',
  async (t) => {
    const folder = await privateFolder(t);
    const [port = 0] = await freePorts(1);
    const spec = parsePortSpec(`127.0.0.1:${port}:80/tcp`);
    const first = await startRootlessKit(t, folder);
    await first.client.add(spec, signal);
    await first.kill();
    const { exitCode, stderr } = await ours('--socket', first.socket, 'list-ports');
    t.is(exitCode, 1);
    t.regex(
      stderr,
      /^error\[rootlesskit-unreachable\]: RootlessKit does not answer on .*: ECONNREFUSED\n {2}fix: start the cluster/,
    );

    const second = await startRootlessKit(t, folder);
    t.deepEqual(await second.client.list(signal), []);
    t.deepEqual(await second.client.add(spec, signal), { id: 1, spec });
  },
);

asRoot('another user cannot connect (needs root)', async (t) => {
  const kit = await startRootlessKit(t, await privateFolder(t));
  const connecting = `require('net').connect(process.argv[1]).on('connect', () => console.log('connected')).on('error', (e) => console.log(e.code))`;
  const attempt = (...as: string[]): Promise<RunResult> =>
    run('setpriv', [...as, '--', process.execPath, '-e', connecting, kit.socket], {
      env,
      timeout: 10_000,
      cwd: '/',
    });
  t.is((await attempt('--reuid=65534', '--regid=65534', '--clear-groups')).stdout, 'EACCES');
});

asRoot('the source address of TCP reaches the server, that of UDP does not (needs root)', async (t) => {
  const [host, client] = [await networkNamespace(t), await networkNamespace(t)];
  const ip = (...args: string[]): Promise<RunResult> => run('ip', args, { env });
  await ip(
    'link',
    'add',
    'u7s0',
    'netns',
    String(host),
    'type',
    'veth',
    'peer',
    'name',
    'u7s0',
    'netns',
    String(client),
  );
  for (const [pid, address] of [
    [host, '198.51.100.1/24'],
    [client, '198.51.100.2/24'],
  ] as const) {
    const within = ['-t', String(pid), '-n', 'ip'];
    await run('nsenter', [...within, 'address', 'add', address, 'dev', 'u7s0'], { env });
    for (const link of ['lo', 'u7s0']) await run('nsenter', [...within, 'link', 'set', link, 'up'], { env });
  }
  const kit = await startRootlessKit(t, await privateFolder(t), ['nsenter', '-t', String(host), '-n']);
  await kit.client.add(parsePortSpec('0.0.0.0:8080:80/tcp'), signal);
  await kit.client.add(parsePortSpec('0.0.0.0:8080:80/udp'), signal);
  await serveInside(t, kit, tcpServer, 80);
  await serveInside(t, kit, udpServer, 80);
  const ask = async (program: string): Promise<string> => {
    const args = ['-t', String(client), '-n', process.execPath, '-e', program];
    return (await run('nsenter', args, { env, timeout: 20_000 })).stdout;
  };
  t.is(
    await ask(`require('net').connect(8080, '198.51.100.1').pipe(process.stdout)`),
    'you are 198.51.100.2',
  );
  t.not(
    await ask(
      `const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); s.close(); }); s.send('who am I', 8080, '198.51.100.1');`,
    ),
    'you are 198.51.100.2',
  );
});

/** Answer each client with the address it comes from. */
const tcpServer = (port: number): string =>
  `require('net').createServer((s) => s.end('you are ' + s.remoteAddress)).listen(${port}, '0.0.0.0', () => console.log('listening'))`;
const udpServer = (port: number): string =>
  `const s = require('dgram').createSocket('udp4'); s.on('message', (m, { address, port }) => s.send('you are ' + address, port, address)); s.bind(${port}, '0.0.0.0', () => console.log('listening'))`;

async function serveInside(
  t: ExecutionContext,
  { childPid }: LiveRootlessKit,
  program: (port: number) => string,
  port: number,
): Promise<void> {
  const words = ['-U', '-n', '-t', String(childPid), process.execPath, '-e', program(port)];
  const server = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'], env });
  t.teardown(() => server.kill('SIGKILL'));
  await once(server.stdout, 'data');
}

/** What our rootlessctl asks of RootlessKit; undefined when it refuses. */
function understood(word: string): unknown {
  try {
    const { parentIP, ...rest } = parsePortSpec(word);
    return { ...rest, ...(parentIP === '' ? {} : { parentIP }) };
  } catch {
    return undefined;
  }
}

/** A network namespace that ends with the test; the pid of what keeps it. */
async function networkNamespace(t: ExecutionContext): Promise<number> {
  const keeper = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => keeper.kill('SIGKILL'));
  await once(keeper.stdout, 'data');
  return keeper.pid ?? 0;
}

function readAll(host: string, port: number): Promise<string> {
  return text(connect(port, host));
}
