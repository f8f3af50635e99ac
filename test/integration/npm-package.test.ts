import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { run, runOk } from '#src/lib/exec.js';
import { temporary } from '../temporary.js';

/** Who installs it when root runs the tests: nobody's numbers, so that nothing of root's is in reach. */
const ordinary =
  process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] : [];

/** Compiled JavaScript and recipes; the binaries of a node are not in it. */
const largestBytes = 1_500_000;

test('the packed package is installed by an ordinary user in an empty prefix, and u7s works from there', async (t) => {
  t.timeout(280_000);
  const folder = await temporary(t);
  const packed = JSON.parse(
    await runOk('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]),
  ) as { filename: string; size: number; files: { path: string }[] }[];
  const [{ filename, size, files } = { filename: '', size: 0, files: [] }] = packed;
  const paths = files.map(({ path }) => path);
  for (const needed of ['bin/u7s.js', 'dist/cli/main.js', 'config/artifacts.lock.json', 'build/etcd/go.mod'])
    t.true(paths.includes(needed), needed);
  t.true(paths.some((path) => path.startsWith('patches/rootlesskit/')));
  t.deepEqual(
    paths.filter((path) => /^(src|test|dist-test|node_modules|config\/.*kubeconfig)/.test(path)),
    [],
  );
  t.true(size < largestBytes, `${size} bytes`);

  const [prefix, home] = [join(folder, 'prefix'), join(folder, 'home')];
  for (const path of [prefix, home]) {
    await mkdir(path);
    await chmod(path, 0o777);
  }
  await chmod(folder, 0o755);
  const env = { ...process.env, HOME: home, npm_config_prefix: prefix, npm_config_cache: join(home, 'npm') };
  const as = (...argv: string[]): [string, string[]] => {
    const [command = '', ...args] = [...ordinary, ...argv];
    return [command, args];
  };
  await runOk(...as('npm', 'install', '--global', '--omit=dev', join(folder, filename)), { env, cwd: home });
  const installed = await readdir(join(prefix, 'lib/node_modules/usernetes/node_modules'));
  t.false(installed.includes('typescript') || installed.includes('ava'));

  for (const name of ['u7s', 'usernetes', 'rootlessctl']) {
    const { exitCode } = await run(...as(join(prefix, 'bin', name), '--help'), { env, cwd: home });
    t.is(exitCode, 0, name);
  }
  const listed = await runOk(...as(join(prefix, 'bin/u7s'), 'artifacts', 'list', '-o', 'json'), {
    env: { ...env, XDG_RUNTIME_DIR: undefined },
    cwd: home,
  });
  t.true((JSON.parse(listed) as { name: string }[]).some(({ name }) => name === 'kubernetes'));
});
