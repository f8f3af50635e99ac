import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { errnoOf, U7sError } from '../lib/errors.js';

/** The user's own folders, as the XDG Base Directory Specification names them. */
export type UserDirs = {
  home: string;
  /** `XDG_CONFIG_HOME`, `XDG_DATA_HOME`, `XDG_STATE_HOME`, `XDG_CACHE_HOME` or their defaults below `home`. */
  configHome: string;
  dataHome: string;
  stateHome: string;
  cacheHome: string;
  /** `XDG_RUNTIME_DIR` or the fallback; private to the user. */
  runtimeDir: string;
};

type Env = Record<string, string | undefined>;

/** Where runtime directories lie when `XDG_RUNTIME_DIR` doesn't say; parameters for the sake of tests. */
export type RuntimeRoots = { logins: string; temporary: string };
const systemRoots: RuntimeRoots = { logins: '/run/user', temporary: '/tmp' };

/** Settles every folder. Throws when the home is unknown or the runtime directory isn't private to `uid`. */
export async function resolveUserDirs(env: Env, uid: number): Promise<UserDirs> {
  return { ...resolveHomeDirs(env), runtimeDir: await resolveRuntimeDir(env, uid) };
}

/** The folders on disk alone, which need no look at the file system. */
export function resolveHomeDirs(env: Env): Omit<UserDirs, 'runtimeDir'> {
  const home = absolute(env['HOME']) ?? passwdHome();
  return {
    home,
    configHome: absolute(env['XDG_CONFIG_HOME']) ?? join(home, '.config'),
    dataHome: absolute(env['XDG_DATA_HOME']) ?? join(home, '.local', 'share'),
    stateHome: absolute(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state'),
    cacheHome: absolute(env['XDG_CACHE_HOME']) ?? join(home, '.cache'),
  };
}

/**
 * `XDG_RUNTIME_DIR` when set; else the login's `/run/user/<uid>` when it is private; else `/tmp/usernetes-<uid>`, made
 * 0700. Whatever it is, sockets in it control the cluster, so one that others can reach or replace is refused.
 */
export async function resolveRuntimeDir(env: Env, uid: number, roots = systemRoots): Promise<string> {
  const given = absolute(env['XDG_RUNTIME_DIR']);
  if (given !== undefined) {
    const fault = await privacyFault(given, uid);
    if (fault === undefined) return given;
    throw new U7sError('todo', `XDG_RUNTIME_DIR=${given} ${fault}`, {
      fixes: [fixOf(given, fault, 'unset XDG_RUNTIME_DIR')],
    });
  }

  const login = join(roots.logins, String(uid));
  if ((await privacyFault(login, uid)) === undefined) return login;

  const fallback = join(roots.temporary, `usernetes-${uid}`);
  try {
    await mkdir(fallback, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST')
      throw new U7sError('todo', `cannot make the runtime directory ${fallback}`, { cause: error });
  }
  const fault = await privacyFault(fallback, uid);
  if (fault === undefined) return fallback;
  throw new U7sError('todo', `the runtime directory ${fallback} ${fault}`, {
    fixes: [
      fixOf(
        fallback,
        fault,
        `remove ${fallback}, or set XDG_RUNTIME_DIR to a directory of your own with mode 0700`,
      ),
    ],
  });
}

/** The longest path a unix socket can have on Linux: `sun_path` is 108 bytes with its closing zero. */
const longestSocketPath = 107;

/** Throws when no socket can be made at `path` because it is too long. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= longestSocketPath) return;
  throw new U7sError(
    'todo',
    `the socket path ${path} has ${bytes} bytes; the kernel takes ${longestSocketPath}`,
    {
      fixes: [
        'set XDG_RUNTIME_DIR to a shorter directory of your own with mode 0700, or give the cluster a shorter name',
      ],
    },
  );
}

/** What keeps `path` from being a directory that `uid` alone can use; undefined when nothing does. */
export async function privacyFault(path: string, uid: number): Promise<string | undefined> {
  const stats = await lstat(path).catch((error: unknown) => errnoOf(error) ?? 'unknown error');
  if (stats === 'ENOENT') return 'does not exist';
  if (typeof stats === 'string') return `cannot be examined (${stats})`;
  if (stats.isSymbolicLink()) return 'is a symbolic link';
  if (!stats.isDirectory()) return 'is not a directory';
  if (stats.uid !== uid) return `belongs to uid ${stats.uid}, not to uid ${uid}`;
  const mode = stats.mode & 0o777;
  return mode === 0o700 ? undefined : `${wrongMode} ${mode.toString(8).padStart(4, '0')}, not 0700`;
}

const wrongMode = 'has mode';

function fixOf(path: string, fault: string, otherwise: string): string {
  return fault.startsWith(wrongMode) ? `chmod 0700 ${path}` : otherwise;
}

/** Relative values are invalid by the specification, and to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function passwdHome(): string {
  try {
    return userInfo().homedir;
  } catch (error) {
    throw new U7sError('todo', 'HOME is not set and this uid has no passwd entry', {
      fixes: ['export HOME=/path'],
      cause: error,
    });
  }
}
