import test from 'ava';
import { accountName, asUser, parsePasswd, preparedAccount } from '#src/host/account.js';
import { U7sError } from '#src/lib/errors.js';
import { u7s } from '#src/lib/fixes.js';
import { likeFixes } from '../like-fixes.js';

const alice = { name: 'alice', uid: 1000, gid: 100, home: '/home/alice', shell: '/bin/zsh' };

test('root acts as U7S_USER, else as who called sudo, else as usernetes', (t) => {
  t.is(accountName({ U7S_USER: 'node', SUDO_USER: 'alice' }), 'node');
  t.is(accountName({ SUDO_USER: 'alice' }), 'alice');
  t.is(accountName({ SUDO_USER: 'root' }), 'usernetes');
  t.is(accountName({}), 'usernetes');
});

test('a user that does not exist is an error that says how to make it', async (t) => {
  const error = await t.throwsAsync(preparedAccount({ U7S_USER: 'nobody-of-that-name' }), {
    instanceOf: U7sError,
  });
  t.is(error.code, 'no-such-user');
  t.regex(error.message, /nobody-of-that-name/);
  likeFixes(t, error.fixes, [u7s(['init-host'], { about: 'host', text: 'create that user' }), /U7S_USER/]);
});

test('root is never the user acted as', async (t) => {
  await t.throwsAsync(preparedAccount({ U7S_USER: 'root' }), {
    instanceOf: U7sError,
    code: 'is-root',
  });
});

test('reads a passwd line', (t) => {
  const text = 'root:x:0:0:root:/root:/bin/bash\nalice:x:1000:100:Alice,,,:/home/alice:/bin/zsh\n';
  t.deepEqual(parsePasswd(text, 'alice'), alice);
  t.is(parsePasswd(text, 'bob'), undefined);
  t.deepEqual(parsePasswd('b:x:7:8:::', 'b'), { name: 'b', uid: 7, gid: 8, home: '/', shell: '/bin/sh' });
});

test('a command of root runs as the user, who can still gain the privileges of newuidmap', (t) => {
  const { command, args } = asUser(alice, ['node', 'u7s.js', 'up'], {});
  t.is(command, 'setsid');
  t.deepEqual(args.slice(0, 6), [
    '--wait',
    'setpriv',
    '--reuid=1000',
    '--regid=100',
    '--init-groups',
    '--inh-caps=-all',
  ]);
  t.deepEqual(args.slice(-3), ['node', 'u7s.js', 'up']);
});

test('its environment is the user’s own, with terminal, proxies, certificates and U7S_* of root, nothing else', (t) => {
  const passedOn = {
    PATH: '/opt/node/bin:/usr/bin',
    TERM: 'xterm',
    HTTPS_PROXY: 'proxy:1',
    no_proxy: 'localhost',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    U7S_MIRROR: 'mirror',
  };
  const { env } = asUser({ ...alice, runtimeDir: '/run/user/1000' }, ['true'], {
    ...passedOn,
    HOME: '/root',
    XDG_RUNTIME_DIR: '/run/user/0',
    XDG_DATA_HOME: '/root/data',
    SSH_AUTH_SOCK: '/tmp/agent',
    SECRET_TOKEN: 'secret',
    NODE_OPTIONS: '--inspect',
  });
  t.deepEqual(env, {
    ...passedOn,
    HOME: '/home/alice',
    USER: 'alice',
    LOGNAME: 'alice',
    SHELL: '/bin/zsh',
    XDG_RUNTIME_DIR: '/run/user/1000',
  });
});

test('a password in a proxy variable of root stays with root unless root says otherwise', (t) => {
  const proxies = {
    HTTPS_PROXY: 'http://root:se%40cret@proxy.example:3128',
    http_proxy: 'root:secret@proxy.example:3128/',
    ALL_PROXY: 'socks5h://proxy.example:1080',
    no_proxy: 'a@b,localhost',
  };
  t.like(asUser(alice, ['true'], proxies).env, {
    HTTPS_PROXY: 'http://proxy.example:3128',
    http_proxy: 'proxy.example:3128/',
    ALL_PROXY: 'socks5h://proxy.example:1080',
    no_proxy: 'a@b,localhost',
  });
  t.like(asUser(alice, ['true'], { ...proxies, U7S_PASS_PROXY_PASSWORD: '1' }).env, proxies);
});
