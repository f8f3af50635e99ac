import { chmod, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checkSocketPath, resolveHomeDirs, resolveRuntimeDir, resolveUserDirs } from '#src/host/user-dirs.js';
import { U7sError } from '#src/lib/errors.js';
import { likeFixes } from '../like-fixes.js';

const { uid, homedir } = userInfo();

async function temporaryDir(t: ExecutionContext): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'u7s-')));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

/** Empty places for logins and temporary files. */
async function emptyRoots(t: ExecutionContext): Promise<{ logins: string; temporary: string }> {
  const directory = await temporaryDir(t);
  const roots = { logins: join(directory, 'run'), temporary: join(directory, 'tmp') };
  await mkdir(roots.logins);
  await mkdir(roots.temporary);
  return roots;
}

test('folders are the defaults of the XDG specification below HOME', (t) => {
  t.deepEqual(resolveHomeDirs({ HOME: '/home/alice' }), {
    home: '/home/alice',
    configHome: '/home/alice/.config',
    dataHome: '/home/alice/.local/share',
    stateHome: '/home/alice/.local/state',
    cacheHome: '/home/alice/.cache',
  });
});

test('XDG variables win; relative ones are ignored, as the specification asks', (t) => {
  const dirs = resolveHomeDirs({
    HOME: '/h',
    XDG_CONFIG_HOME: '/config',
    XDG_DATA_HOME: '/data',
    XDG_STATE_HOME: 'state',
    XDG_CACHE_HOME: '',
  });
  t.like(dirs, {
    configHome: '/config',
    dataHome: '/data',
    stateHome: '/h/.local/state',
    cacheHome: '/h/.cache',
  });
});

test('without HOME the passwd entry tells', (t) => {
  t.is(resolveHomeDirs({}).home, homedir);
});

test('XDG_RUNTIME_DIR is used when it is private', async (t) => {
  const directory = await temporaryDir(t);
  t.is((await resolveUserDirs({ HOME: '/h', XDG_RUNTIME_DIR: directory }, uid)).runtimeDir, directory);
});

test('a world-writable XDG_RUNTIME_DIR is refused, with the chmod that mends it', async (t) => {
  const directory = await temporaryDir(t);
  await chmod(directory, 0o777);
  const error = await t.throwsAsync(resolveRuntimeDir({ XDG_RUNTIME_DIR: directory }, uid), {
    instanceOf: U7sError,
  });
  t.is(error.code, 'runtime-dir-unsafe');
  t.is(error.message, `XDG_RUNTIME_DIR=${directory} has mode 0777, not 0700`);
  t.deepEqual(error.fixes, [`chmod 0700 ${directory}`]);
});

test('an XDG_RUNTIME_DIR that is missing, a file, a link or another user’s is refused', async (t) => {
  const directory = await temporaryDir(t);
  await writeFile(join(directory, 'file'), '');
  await symlink(directory, join(directory, 'link'));
  const refusal = async (path: string, asUid = uid): Promise<string> => {
    const error = await t.throwsAsync(resolveRuntimeDir({ XDG_RUNTIME_DIR: path }, asUid), {
      instanceOf: U7sError,
    });
    t.is(error.code, 'runtime-dir-unsafe');
    t.deepEqual(error.fixes, ['unset XDG_RUNTIME_DIR']);
    return error?.message ?? '';
  };
  t.regex(await refusal(join(directory, 'missing')), /does not exist$/);
  t.regex(await refusal(join(directory, 'file')), /is not a directory$/);
  t.regex(await refusal(join(directory, 'link')), /is a symbolic link$/);
  t.regex(await refusal(directory, uid + 1), RegExp(`belongs to uid ${uid}, not to uid ${uid + 1}$`));
});

test('unset, the login’s directory is used when it is private', async (t) => {
  const roots = await emptyRoots(t);
  const login = join(roots.logins, String(uid));
  await mkdir(login, { mode: 0o700 });
  t.is(await resolveRuntimeDir({}, uid, roots), login);
});

test('without a private login directory a private one is made, and used again', async (t) => {
  const roots = await emptyRoots(t);
  await mkdir(join(roots.logins, String(uid)), { mode: 0o755 });
  const fallback = join(roots.temporary, `usernetes-${uid}`);
  t.is(await resolveRuntimeDir({}, uid, roots), fallback);
  t.is((await stat(fallback)).mode & 0o777, 0o700);
  t.is(await resolveRuntimeDir({}, uid, roots), fallback);
});

test('a fallback that somebody else laid out is refused by name', async (t) => {
  const roots = await emptyRoots(t);
  const fallback = join(roots.temporary, `usernetes-${uid}`);
  await symlink(roots.logins, fallback);
  await t.throwsAsync(resolveRuntimeDir({}, uid, roots), {
    message: `the runtime directory ${fallback} is a symbolic link`,
  });
  await rm(fallback);
  await mkdir(fallback);
  await chmod(fallback, 0o770);
  await t.throwsAsync(resolveRuntimeDir({}, uid, roots), { message: /has mode 0770/ });
});

test('a socket path fits up to 107 bytes', (t) => {
  t.notThrows(() => checkSocketPath(`/${'x'.repeat(106)}`));
  const error = t.throws(() => checkSocketPath(`/${'é'.repeat(54)}`), { instanceOf: U7sError });
  t.regex(error?.message ?? '', /109 bytes; the kernel takes 107/);
  t.is(error.code, 'path-too-long');
  likeFixes(t, error.fixes, [/XDG_RUNTIME_DIR/, /--cluster/]);
});
