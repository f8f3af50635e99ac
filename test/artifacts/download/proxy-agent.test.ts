import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, isIP, type AddressInfo, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { agentFor } from '#src/artifacts/download/proxy-agent.js';
import { request } from '#src/artifacts/download/request.js';
import { serve } from '../support.js';

type Env = Record<string, string>;
type Seen = { target: string | undefined; authorization: string | undefined };

const { signal } = new AbortController();

async function get(url: string, env: Env): Promise<string> {
  const { body } = await request(url, { agent: agentFor(env), signal });
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}

/** A proxy that answers CONNECT with `status` and, when that is 200, joins the two ends. */
async function proxy(t: ExecutionContext, status = 200): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer();
  server.on('connect', (request, client: Socket) => {
    seen.push({ target: request.url, authorization: request.headers['proxy-authorization'] });
    client.write(`HTTP/1.1 ${status} x\r\n\r\n`);
    if (status !== 200) return void client.end();
    const { hostname, port } = new URL(`http://${request.url}`);
    join(t, client, hostname.replace(/^\[|\]$/g, ''), Number(port));
  });
  return { url: await listen(t, server), seen };
}

function join(t: ExecutionContext, client: Socket, host: string, port: number): void {
  const target = connect(port, host);
  target.on('error', () => client.destroy());
  client.on('error', () => target.destroy());
  target.pipe(client).pipe(target);
  t.teardown(() => target.destroy());
}

async function listen(t: ExecutionContext, server: ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A SOCKS 5 proxy that wants `login`, if it is given, and answers a request with `reply`. */
async function socksProxy(
  t: ExecutionContext,
  { login, reply = 0 }: { login?: string; reply?: number } = {},
): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createTcpServer((client) => {
    const steps: ((bytes: Buffer) => void)[] = [
      () => client.write(Buffer.from([5, login === undefined ? 0 : 2])),
      ...(login === undefined
        ? []
        : [
            (bytes: Buffer) => {
              const user = bytes.subarray(2, 2 + (bytes[1] ?? 0)).toString();
              const password = bytes.subarray(3 + (bytes[1] ?? 0)).toString();
              client.write(Buffer.from([1, `${user}:${password}` === login ? 0 : 1]));
            },
          ]),
      (bytes) => {
        const length = bytes[4] ?? 0;
        const named = bytes[3] === 3;
        const host = named ? bytes.subarray(5, 5 + length).toString() : [...bytes.subarray(4, 8)].join('.');
        const port = bytes.readUInt16BE(named ? 5 + length : 8);
        seen.push(`${host}:${port}`);
        client.write(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
        if (reply === 0) join(t, client, isIP(host) ? host : '127.0.0.1', port);
      },
    ];
    const next = (bytes: Buffer): void => {
      const step = steps.shift();
      if (steps.length === 0) client.off('data', next);
      step?.(bytes);
    };
    client.on('data', next);
    client.on('error', () => undefined);
  });
  return { url: await listen(t, server), seen };
}

const hello = (t: ExecutionContext): Promise<string> =>
  serve(t, (_request, response) => void response.end('from the target'));

test('a request goes through the proxy that the environment names, with its password', async (t) => {
  const target = await hello(t);
  const { url, seen } = await proxy(t);
  t.is(await get(target, { HTTP_PROXY: `http://user:p%40ss@${url}` }), 'from the target');
  const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  t.deepEqual(seen, [{ target: new URL(target).host, authorization }]);
});

test('a % in a password that encodes nothing is one', async (t) => {
  const target = await hello(t);
  const { url, seen } = await proxy(t);
  await get(target, { HTTP_PROXY: `http://user:100%@${url}` });
  t.is(seen[0]?.authorization, `Basic ${Buffer.from('user:100%').toString('base64')}`);
});

test('an IPv6 address has brackets in what the proxy is asked for', async (t) => {
  const { url, seen } = await proxy(t, 502);
  await t.throwsAsync(get('http://[2001:db8::1]:8080/', { HTTP_PROXY: `http://${url}` }));
  t.is(seen[0]?.target, '[2001:db8::1]:8080');
});

test('what NO_PROXY excludes goes straight', async (t) => {
  const target = await hello(t);
  const { url, seen } = await proxy(t);
  t.is(await get(target, { HTTP_PROXY: `http://${url}`, NO_PROXY: '127.0.0.0/8' }), 'from the target');
  t.deepEqual(seen, []);
});

test('a proxy that refuses is named in the error, without its password', async (t) => {
  const { url } = await proxy(t, 403);
  const error = await t.throwsAsync(
    get('https://downloads.example/', { https_proxy: `http://user:secret@${url}` }),
    { code: 'proxy-failed' },
  );
  t.like(error, { transient: false });
  t.true(error.message.includes(url) && error.message.includes('downloads.example:443'));
  t.notRegex(error.message, /secret/);
});

for (const [status, transient] of [
  [503, true],
  [429, true],
  [407, false],
] as const) {
  test(`a proxy that answers ${status} is ${transient ? '' : 'not '}asked again`, async (t) => {
    const { url } = await proxy(t, status);
    const error = await t.throwsAsync(get('https://downloads.example/', { HTTPS_PROXY: url }));
    t.like(error, { code: 'proxy-failed', transient });
  });
}

test('a SOCKS proxy resolves the name itself', async (t) => {
  const { port } = new URL(await hello(t));
  const { url, seen } = await socksProxy(t);
  t.is(await get(`http://downloads.example:${port}/`, { ALL_PROXY: `socks5h://${url}` }), 'from the target');
  t.deepEqual(seen, [`downloads.example:${port}`]);
});

test('a SOCKS proxy gets user and password, and addresses as such', async (t) => {
  const target = await hello(t);
  const { url, seen } = await socksProxy(t, { login: 'user:100%' });
  t.is(await get(target, { HTTP_PROXY: `socks5://user:100%@${url}` }), 'from the target');
  t.deepEqual(seen, [new URL(target).host]);
  await t.throwsAsync(get(target, { HTTP_PROXY: `socks5://user:wrong@${url}` }), { code: 'proxy-failed' });
  await t.throwsAsync(get(target, { HTTP_PROXY: `socks5://${url}` }), { code: 'proxy-failed' });
});

test('a SOCKS proxy that forbids a host is not asked again; one that cannot reach it is', async (t) => {
  for (const [reply, transient] of [
    [2, false],
    [4, true],
  ] as const) {
    const { url } = await socksProxy(t, { reply });
    const error = await t.throwsAsync(get('http://downloads.example/', { ALL_PROXY: `socks5://${url}` }));
    t.like(error, { code: 'proxy-failed', transient });
  }
});
