import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';

/** The user's own folders, by the XDG Base Directory Specification. */
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

/** Where runtime directories lie when `XDG_RUNTIME_DIR` is not set; parameters for the sake of tests. */
export type RuntimeRoots = { logins: string; temporary: string };
const systemRoots: RuntimeRoots = { logins: '/run/user', temporary: '/tmp' };

/** All of them. Throws when the home is unknown or the runtime directory is not private to `uid`. */
export async function resolveUserDirs(env: Env, uid: number): Promise<UserDirs> {
  return { ...resolveHomeDirs(env), runtimeDir: await resolveRuntimeDir(env, uid) };
}

/** The folders on disk only, without a look at the file system. */
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
 * `XDG_RUNTIME_DIR` when set; else the login's `/run/user/<uid>` when it is private; else `/tmp/usernetes-<uid>`, created
 * with mode 0700. Its sockets control the instance, so a directory that others can reach or replace is refused.
 */
export async function resolveRuntimeDir(env: Env, uid: number, roots = systemRoots): Promise<string> {
  const given = absolute(env['XDG_RUNTIME_DIR']);
  if (given !== undefined) {
    const fault = await privacyFault(given, uid);
    if (fault === undefined) return given;
    throw new U7sError('runtime-dir-unsafe', `XDG_RUNTIME_DIR=${given} ${fault}`, {
      fixes: fixesOf(given, fault, 'unset XDG_RUNTIME_DIR'),
    });
  }

  const login = join(roots.logins, String(uid));
  if ((await privacyFault(login, uid)) === undefined) return login;

  const fallback = join(roots.temporary, `usernetes-${uid}`);
  try {
    await mkdir(fallback, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST')
      throw new U7sError(
        'runtime-dir-unsafe',
        `cannot create the runtime directory ${fallback} (${errnoOf(error) ?? messageOf(error)})`,
        { cause: error },
      );
  }
  const fault = await privacyFault(fallback, uid);
  if (fault === undefined) return fallback;
  throw new U7sError('runtime-dir-unsafe', `the runtime directory ${fallback} ${fault}`, {
    fixes: fixesOf(
      fallback,
      fault,
      `remove ${fallback}`,
      'set XDG_RUNTIME_DIR to a directory of your own with mode 0700',
    ),
  });
}

/** The longest path a unix socket can have on Linux: `sun_path` is 108 bytes with its closing zero. */
const longestSocketPath = 107;

/** Throws when `path` is too long for a socket. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= longestSocketPath) return;
  throw new U7sError(
    'path-too-long',
    `the socket path ${path} has ${bytes} bytes; the kernel takes ${longestSocketPath}`,
    {
      fixes: [
        'set XDG_RUNTIME_DIR to a directory of your own with a shorter path and mode 0700',
        'choose a shorter name for --cluster',
      ],
    },
  );
}

/** Why `path` is not a directory that only `uid` can use; undefined when it is. */
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

function fixesOf(path: string, fault: string, ...otherwise: string[]): string[] {
  return fault.startsWith(wrongMode) ? [`chmod 0700 ${path}`] : otherwise;
}

/** The specification has relative values ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function passwdHome(): string {
  try {
    return userInfo().homedir;
  } catch (error) {
    throw new U7sError('home-unknown', 'HOME is not set and this uid has no passwd entry', {
      fixes: ['set HOME to a folder of your own'],
      cause: error,
    });
  }
}
