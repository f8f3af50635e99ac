import test from 'ava';
import { loopbackProxies, proxyEnvironment, proxyText } from '#src/settings/proxy.js';
import { parseSettings, type SettingsInput } from '#src/settings/schema.js';

const settings = (input: SettingsInput) => parseSettings({ nodeName: 'a', ...input });
const proxy = 'http://user:secret@proxy.example:3128';

test('without a proxy there is nothing in the environment', (t) => {
  t.deepEqual(proxyEnvironment(settings({ noProxy: 'example.org' })), {});
  t.deepEqual(proxyEnvironment(settings({ httpsProxy: 'none' })), {});
  t.is(proxyText(settings({})), undefined);
});

test('what pulls images gets the proxy under both names; all of the cluster is reached without', (t) => {
  const env = proxyEnvironment(settings({ httpsProxy: proxy, noProxy: 'example.org, 192.0.2.0/24' }));
  t.is(env['HTTPS_PROXY'], proxy);
  t.is(env['https_proxy'], proxy);
  t.false('HTTP_PROXY' in env);
  const direct = env['NO_PROXY']?.split(',') ?? [];
  for (const each of ['example.org', '192.0.2.0/24', '10.88.0.0/16', '10.0.0.0/24', '10.0.2.0/24', '.svc'])
    t.true(direct.includes(each), each);
  t.true(direct.includes('.cluster.local') && direct.includes('a') && direct.includes('localhost'));
});

test('ALL_PROXY, which Go does not know, stands in for the two', (t) => {
  const env = proxyEnvironment(settings({ allProxy: 'socks5://proxy.example', httpProxy: proxy }));
  t.is(env['HTTP_PROXY'], proxy);
  t.is(env['HTTPS_PROXY'], 'socks5://proxy.example');
});

test('who reads about the proxy does not read its password', (t) => {
  t.is(proxyText(settings({ httpsProxy: proxy })), 'http://proxy.example:3128');
  t.is(proxyText(settings({ httpProxy: 'user:secret@proxy:1' })), 'http://proxy:1');
  const error = t.throws(() => settings({ httpsProxy: 'ftp://user:secret@proxy' }), {
    code: 'setting-invalid',
  });
  t.notRegex(error?.message ?? '', /secret/);
});

test('a proxy on the host’s own loopback is told apart', (t) => {
  t.deepEqual(loopbackProxies(settings({ httpsProxy: 'http://localhost:3128', httpProxy: 'http://[::1]' })), [
    { host: '::1', port: 80 },
    { host: '127.0.0.1', port: 3128 },
  ]);
  t.deepEqual(loopbackProxies(settings({ httpsProxy: proxy })), []);
});
