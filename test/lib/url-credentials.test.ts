import test from 'ava';
import { withoutCredentials, withoutPassword } from '#src/lib/url-credentials.js';

for (const [url, without, masked] of [
  ['http://user:secret@proxy:3128', 'http://proxy:3128', 'http://user:***@proxy:3128'],
  ['user:secret@proxy:3128', 'proxy:3128', 'user:***@proxy:3128'],
  ['socks5h://user@proxy', 'socks5h://proxy', 'socks5h://user@proxy'],
  ['http://user:se:cr@et@proxy/a', 'http://proxy/a', 'http://user:***@proxy/a'],
  ['http://proxy:3128', 'http://proxy:3128', 'http://proxy:3128'],
  ['proxy:3128/a@b', 'proxy:3128/a@b', 'proxy:3128/a@b'],
] as const) {
  test(`${url}: nobody reads a password in it`, (t) => {
    t.is(withoutCredentials(url), without);
    t.is(withoutPassword(url), masked);
  });
}
