import { readFile } from 'node:fs/promises';
import { U7sError } from '../lib/errors.js';
import { withoutCredentials } from '../lib/url-credentials.js';
import { u7s } from '../lib/fixes.js';
import { isExecutable } from '../lib/exists.js';
import { run } from '../lib/exec.js';
import { privacyFault } from './user-dirs.js';

/** The ordinary user that root's commands act as. */
export type Account = {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
  /** `/run/user/<uid>`, if it exists and is private to them. */
  runtimeDir?: string;
};

type Env = Record<string, string | undefined>;

const actAsAnother = 'act as another user: set U7S_USER';

/** The user that root acts as, and that init-host prepares: `U7S_USER`, else who called sudo, else `usernetes`. */
export function accountName(env: Env): string {
  const caller = env['SUDO_USER'];
  return env['U7S_USER'] || (caller && caller !== 'root' ? caller : 'usernetes');
}

/** Throws when the account does not exist or is root's. */
export async function preparedAccount(env: Env): Promise<Account> {
  const name = accountName(env);
  const account = await findAccount(name);
  if (account === undefined) {
    throw new U7sError('no-such-user', `root would act as the user ${name}, who does not exist`, {
      fixes: [u7s(['init-host'], { about: 'host', text: 'create that user' }), actAsAnother],
    });
  }
  if (account.uid === 0) {
    throw new U7sError('is-root', `the user ${name} is root; Kubernetes is never run as root`, {
      fixes: [actAsAnother],
    });
  }
  const runtimeDir = `/run/user/${account.uid}`;
  return (await privacyFault(runtimeDir, account.uid)) === undefined ? { ...account, runtimeDir } : account;
}

/** The passwd entry of a user. getent also knows users of a directory service; the file is quicker to ask. */
export async function findAccount(name: string): Promise<Account | undefined> {
  const local = parsePasswd(await readFile('/etc/passwd', 'utf8'), name);
  if (local !== undefined) return local;
  const { stdout } = await run('getent', ['passwd', name]);
  return parsePasswd(stdout, name);
}

/** A line of passwd(5): name:password:uid:gid:comment:home:shell. */
export function parsePasswd(text: string, name: string): Account | undefined {
  const fields = text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([entry]) => entry === name);
  if (fields === undefined) return undefined;
  const [, , uid, gid, , home, shell] = fields;
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' };
}

/** What an ordinary user's command inherits from root's environment; the rest may be secrets or paths of root's. */
const passedOn = [
  'PATH',
  'TERM',
  'COLORTERM',
  'LANG',
  'NO_COLOR',
  'CI',
  ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]),
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'GIT_SSL_CAINFO',
  ...['GOPROXY', 'GONOPROXY', 'GOPRIVATE', 'GOSUMDB', 'GONOSUMDB', 'GOINSECURE', 'GOVCS', 'GOAUTH', 'NETRC'],
  // As the second generation of Usernetes calls them.
  ...['HOST_IP', 'NODE_NAME', 'NODE_SUBNET'],
  ...['PORT_KUBE_APISERVER', 'PORT_KUBELET', 'PORT_FLANNEL', 'PORT_ETCD'],
];

/** Set by root, it lets the account have the passwords in root's proxy variables. */
export const passProxyPassword = 'U7S_PASS_PROXY_PASSWORD';

const isProxy = (name: string): boolean => /^(https?|all)_proxy$/i.test(name);

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Root's working directory may be closed to the user; programs started there would fail. Whoever has root's session keyring
 * may use the keys in it, so the user gets a new one; where no keyring can be made, as in most containers, none can be used.
 * keyctl says on stderr that it has made one.
 */
const inReachableFolder = `
cd "$PWD" 2>/dev/null || cd 2>/dev/null || cd /
keyctl session - true >/dev/null 2>&1 || exec "$@"
exec keyctl session - sh -c 'exec 2>&9 9>&-; exec "$@"' sh "$@" 9>&2 2>/dev/null`;

/**
 * How root runs `argv` as `account`: all privileges dropped, groups and environment those of the user, in a session of its
 * own, since whoever shares root's session can open root's terminal. `ownSession: false` is for a caller that has made one.
 * Without no-new-privileges, since newuidmap must still gain its own.
 */
export function asUser(
  account: Account,
  argv: readonly string[],
  env: Env,
  { ownSession = true }: { ownSession?: boolean } = {},
): { command: string; args: string[]; env: Record<string, string> } {
  const kept = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && (passedOn.includes(name) || name.startsWith('U7S_'))
      ? [[name, isProxy(name) && !env[passProxyPassword] ? withoutCredentials(value) : value]]
      : [],
  );
  const [command = '', ...args] = [
    ...(ownSession ? ['setsid', '--wait'] : []),
    'setpriv',
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    '--init-groups',
    '--inh-caps=-all',
    // When root's process is killed, what it had started ends too.
    '--pdeathsig=TERM',
    ...['--', 'sh', '-c', inReachableFolder, 'sh'],
    ...argv,
  ];
  return {
    command,
    args,
    env: {
      PATH: defaultPath,
      ...(Object.fromEntries(kept) as Record<string, string>),
      HOME: account.home,
      USER: account.name,
      LOGNAME: account.name,
      SHELL: account.shell,
      ...(account.runtimeDir === undefined ? {} : { XDG_RUNTIME_DIR: account.runtimeDir }),
    },
  };
}

/** Throws when `account` cannot execute `program`, for example a Node.js in root's home. Only root can ask. */
export async function requireReachable(account: Account, program: string): Promise<void> {
  const { command, args, env } = asUser(account, ['test', '-x', program], {});
  const { exitCode } = await run(command, args, { env });
  if (exitCode === 0) return;
  const there = await isExecutable(program);
  throw new U7sError(
    'not-executable',
    `the user ${account.name} cannot execute ${program}${there ? '' : ', which does not exist'}`,
    {
      fixes: ['install it for all users, below /usr'],
    },
  );
}
