import test from 'ava';
import { parseResolvConf, renderResolvConf } from '#src/rootless/dns/resolv-conf.js';

test('all servers are read, in their order, and the last search line counts', (t) => {
  const text = [
    '# written by NetworkManager',
    'search first.example',
    'nameserver 192.0.2.1',
    ' nameserver\t2001:db8::1',
    'nameserver fe80::1%eth0 ; of the router',
    'nameserver 192.0.2.1',
    'search corp.example lab.example',
    'options edns0 trust-ad',
  ].join('\n');
  t.deepEqual(parseResolvConf(text), {
    servers: ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'],
    search: ['corp.example', 'lab.example'],
  });
});

test('a file that names no server means this host', (t) => {
  for (const text of ['', '# nothing\n', 'domain corp.example\n', 'nameserver\n'])
    t.deepEqual(parseResolvConf(text).servers, ['127.0.0.1']);
  t.deepEqual(parseResolvConf('domain corp.example\n').search, ['corp.example']);
});

test('what is written is read as the same', (t) => {
  const resolver = { servers: ['10.0.2.3'], search: ['corp.example', 'lab.example'] };
  t.deepEqual(parseResolvConf(renderResolvConf(resolver)), resolver);
  t.is(renderResolvConf({ servers: ['10.0.2.3'], search: [] }), 'nameserver 10.0.2.3\n');
});
