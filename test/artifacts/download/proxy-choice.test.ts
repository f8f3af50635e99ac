import test from 'ava';
import { proxyFor } from '#src/artifacts/download/proxy-choice.js';

const github = 'https://github.com/x';
const proxied = { HTTPS_PROXY: 'http://p:3128' };
const p = 'http://p:3128/';
const cases: [env: Record<string, string>, proxy: string | undefined, url?: string][] = [
  [{}, undefined],
  [proxied, p],
  [{ HTTPS_PROXY: 'p:3128' }, p],
  [{ HTTPS_PROXY: ' http://p:3128\n' }, p],
  [{ HTTPS_PROXY: 'http://upper:1', https_proxy: 'http://lower:1' }, 'http://lower:1/'],
  [{ HTTP_PROXY: 'http://p:3128' }, undefined],
  [{ ALL_PROXY: 'http://p:3128' }, p],
  [{ ALL_PROXY: 'socks5h://p:1080' }, 'socks5h://p:1080'],
  [{ ...proxied, NO_PROXY: '*' }, undefined],
  [{ ...proxied, NO_PROXY: 'example.com, github.com' }, undefined],
  [{ ...proxied, NO_PROXY: 'example.com github.com' }, undefined],
  [{ ...proxied, NO_PROXY: '.github.com' }, undefined],
  [{ ...proxied, NO_PROXY: '*.github.com' }, undefined],
  [{ ...proxied, NO_PROXY: 'github.com:443' }, undefined],
  [{ ...proxied, NO_PROXY: 'github.com:8443' }, p],
  [{ ...proxied, NO_PROXY: 'hub.com' }, p],
  [{ ...proxied, NO_PROXY: 'nonsense/99' }, p],
  [{ ...proxied, NO_PROXY: '10.0.0.0/8' }, undefined, 'https://10.1.2.3/x'],
  [{ ...proxied, NO_PROXY: 'fd00::/8' }, undefined, 'https://[fd00::1]/x'],
  [{ ...proxied, NO_PROXY: 'fd00::/8' }, p, 'https://10.1.2.3/x'],
  [{ ...proxied, NO_PROXY: '::1' }, undefined, 'https://[::1]/x'],
  [{ ...proxied, NO_PROXY: '[::1]' }, undefined, 'https://[0:0::1]/x'],
  [{ ...proxied, NO_PROXY: '[::1]:8443' }, undefined, 'https://[::1]:8443/x'],
  [{ ...proxied, NO_PROXY: '[::1]:8443' }, p, 'https://[::1]/x'],
];
for (const [env, expected, url = github] of cases) {
  test(`${url} with ${JSON.stringify(env)} means ${expected ?? 'no proxy'}`, (t) => {
    t.is(proxyFor(new URL(url), env)?.href, expected);
  });
}

for (const value of ['ftp://p:1080', 'socks4://p:1080', 'http://']) {
  test(`the proxy ${value} is an error`, (t) => {
    t.throws(() => proxyFor(new URL(github), { HTTPS_PROXY: value }), { code: 'proxy-invalid' });
  });
}
