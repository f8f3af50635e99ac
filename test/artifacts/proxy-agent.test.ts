import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import fetch from 'node-fetch';
import test, { type ExecutionContext } from 'ava';
import { agentFor, proxyFor } from '#src/artifacts/proxy-agent.js';
import { serve } from './support.js';

type Seen = { target: string | undefined; authorization: string | undefined };

/** A proxy that answers CONNECT with `status` and, when that is 200, joins the two ends. */
async function proxy(t: ExecutionContext, status = 200): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer();
  server.on('connect', (request, client) => {
    seen.push({ target: request.url, authorization: request.headers['proxy-authorization'] });
    client.write(`HTTP/1.1 ${status} x\r\n\r\n`);
    if (status !== 200) return void client.end();
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname);
    target.pipe(client).pipe(target);
    t.teardown(() => target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

test('a request goes through the proxy that the environment names, with its password', async (t) => {
  const target = await serve(t, (_request, response) => void response.end('from the target'));
  const { url, seen } = await proxy(t);
  const response = await fetch(target, { agent: agentFor({ HTTP_PROXY: `http://user:p%40ss@${url}` }) });
  t.is(await response.text(), 'from the target');
  const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  t.deepEqual(seen, [{ target: new URL(target).host, authorization }]);
});

test('what NO_PROXY excludes goes straight', async (t) => {
  const target = await serve(t, (_request, response) => void response.end('from the target'));
  const { url, seen } = await proxy(t);
  const agent = agentFor({ HTTP_PROXY: `http://${url}`, NO_PROXY: '127.0.0.0/8' });
  t.is(await (await fetch(target, { agent })).text(), 'from the target');
  t.deepEqual(seen, []);
});

test('a proxy that refuses is named in the error, without its password', async (t) => {
  const { url } = await proxy(t, 403);
  const error = await t.throwsAsync(
    fetch('https://downloads.example/', { agent: agentFor({ https_proxy: `http://user:secret@${url}` }) }),
  );
  t.regex(
    error?.message ?? '',
    new RegExp(`proxy ${url}: CONNECT downloads.example:443 was answered with 403`),
  );
  t.notRegex(error?.message ?? '', /secret/);
});

const https = new URL('https://github.com/x');
const cases: [env: Record<string, string>, proxy: string | undefined][] = [
  [{}, undefined],
  [{ HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
  [{ HTTPS_PROXY: 'p:3128' }, 'http://p:3128/'],
  [{ HTTPS_PROXY: 'http://upper:1', https_proxy: 'http://lower:1' }, 'http://lower:1/'],
  [{ HTTP_PROXY: 'http://p:3128' }, undefined],
  [{ ALL_PROXY: 'http://p:3128' }, 'http://p:3128/'],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: '*' }, undefined],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'example.com, github.com' }, undefined],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: '.github.com' }, undefined],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'github.com:443' }, undefined],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'github.com:8443' }, 'http://p:3128/'],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'hub.com' }, 'http://p:3128/'],
  [{ HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'nonsense/99' }, 'http://p:3128/'],
];
for (const [env, expected] of cases) {
  test(`${JSON.stringify(env)} means ${expected ?? 'no proxy'}`, (t) => {
    t.is(proxyFor(https, env)?.href, expected);
  });
}

test('a proxy that is no URL is an error that says how to write it', (t) => {
  t.throws(() => proxyFor(https, { HTTPS_PROXY: 'socks5://p:1080' }), { code: 'proxy-invalid' });
});
