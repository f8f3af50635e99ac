import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';

/** Stands in for npm: writes down what it is asked for, and makes what the real one would, with a u7s that echoes its words. */
const fakeNpm = `#!/bin/sh
echo "$*" >> npm-was-asked
case "$*" in
  ci*) mkdir -p node_modules && touch node_modules/.package-lock.json ;;
  run*build)
    [ -e src/broken ] && { echo 'type error' >&2; exit 2; }
    mkdir -p dist/cli
    echo 'export const main = () => console.log(JSON.stringify(process.argv.slice(2)))' > dist/cli/main.js ;;
esac
`;

type Wrapped = { exitCode: number | null; stdout: string; stderr: string };

async function checkout(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'u7s wrappers '));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const root = join(folder, 'my check out');
  const tools = join(folder, 'tools');
  for (const file of [
    'run.sh',
    'kubectl.sh',
    'cleanup.sh',
    'bin/u7s.js',
    'bin/bootstrap.sh',
    'tsconfig.json',
  ]) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await copyFile(file, join(root, file));
  }
  await mkdir(join(root, 'src'));
  await mkdir(tools);
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  await writeFile(join(root, 'package-lock.json'), '{}');
  await writeFile(join(root, 'src/a.ts'), '');
  await writeFile(join(tools, 'npm'), fakeNpm);
  await chmod(join(tools, 'npm'), 0o755);
  const path = [tools, dirname(process.execPath), process.env.PATH].join(delimiter);
  const call = (script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Wrapped> =>
    capture(script.startsWith('/') ? script : join(root, script), args, { PATH: path, ...env });
  const asked = async (): Promise<string[]> =>
    (await readFile(join(root, 'npm-was-asked'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { folder, root, call, asked };
}

function capture(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<Wrapped> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, ...output }));
  });
}

/** Makes `path` newer than everything there is. */
async function touch(path: string): Promise<void> {
  const soon = new Date(Date.now() + 10_000);
  await utimes(path, soon, soon);
}

test('who is in the way of a compilation is told, and awaited', async (t) => {
  const { root, call } = await checkout(t);
  const holder = spawn('flock', [root, 'sleep', '30'], { stdio: 'ignore' });
  t.teardown(() => holder.kill('SIGKILL'));
  while (!(await readFile('/proc/locks', 'utf8')).includes(` ${holder.pid} `)) await delay(20);
  const compiled = call('run.sh');
  const ending = delay(1_000).then(() => capture('pkill', ['-P', String(holder.pid)], process.env));
  const { exitCode, stderr } = await compiled;
  await ending;
  t.is(exitCode, 0, stderr);
  t.regex(
    stderr,
    RegExp(`^waiting for process ${holder.pid} of user \\S+, which has locked .*/my check out\n`),
  );
});

test('a fresh checkout is installed and compiled once, with a line for each on stderr', async (t) => {
  const { call, asked } = await checkout(t);
  t.deepEqual(await call('run.sh', ['--init-host', 'default-containerd']), {
    exitCode: 0,
    stdout: '["up","--init-host","default-containerd"]\n',
    stderr: 'installing the npm packages\ncompiling\n',
  });
  t.deepEqual(await asked(), ['ci --loglevel=error', 'run --silent build']);
  t.deepEqual(await call('run.sh'), { exitCode: 0, stdout: '["up"]\n', stderr: '' });
  t.is((await asked()).length, 2);
});

test('words reach u7s as they were typed', async (t) => {
  const { call } = await checkout(t);
  await call('run.sh');
  t.is(
    (await call('kubectl.sh', ['--cluster', 'two', 'get', 'a b', '--', ''])).stdout,
    '["kubectl","--cluster","two","get","a b","--",""]\n',
  );
  t.is((await call('cleanup.sh', ['--dry-run'])).stdout, '["cleanup","--dry-run"]\n');
});

test('changed source is compiled again, a changed lock file installed again', async (t) => {
  const { root, call, asked } = await checkout(t);
  await call('run.sh');
  await touch(join(root, 'src/a.ts'));
  t.is((await call('run.sh')).stderr, 'compiling\n');
  await touch(join(root, 'package-lock.json'));
  t.regex((await call('run.sh')).stderr, /^installing the npm packages\n/);
  t.deepEqual(
    (await asked()).slice(2).map((line) => line.split(' ')[0]),
    ['run', 'ci', 'run'],
  );
});

test('works through symbolic links', async (t) => {
  const { folder, root, call } = await checkout(t);
  await symlink(join(root, 'kubectl.sh'), join(folder, 'kubectl link'));
  t.is((await call(join(folder, 'kubectl link'), ['get'])).stdout, '["kubectl","get"]\n');
});

test('two at once install and compile once', async (t) => {
  const { call, asked } = await checkout(t);
  const results = await Promise.all([call('run.sh'), call('kubectl.sh'), call('cleanup.sh')]);
  t.true(results.every(({ exitCode }) => exitCode === 0));
  t.is((await asked()).length, 2);
});

test('a failed compilation is an error, the next time too', async (t) => {
  const { root, call } = await checkout(t);
  await call('run.sh');
  await writeFile(join(root, 'src/broken'), '');
  await touch(join(root, 'src/broken'));
  for (let time = 1; time <= 2; time++) {
    const { exitCode, stdout, stderr } = await call('run.sh');
    t.deepEqual([exitCode, stdout], [1, '']);
    t.regex(stderr, /type error\nerror: the compilation failed\n {2}fix: see above/);
  }
});

test('without Node.js it says the ways to get it', async (t) => {
  const { folder, call } = await checkout(t);
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const tool of ['dirname', 'readlink', 'sh', 'uname', 'mkdir', 'mktemp', 'rm'])
    await symlink(`/usr/bin/${tool}`, join(bin, tool));
  const { exitCode, stderr } = await call('run.sh', [], { PATH: bin, HOME: folder });
  t.is(exitCode, 1);
  t.regex(stderr, /error: there is no Node\.js\n( {2}fix: .+\n){3}$/);
});

test('a bundle runs by its own Node.js, and is neither installed nor compiled', async (t) => {
  const { folder, root, call, asked } = await checkout(t);
  await call('run.sh');
  const before = (await asked()).length;
  await rm(join(root, 'src'), { recursive: true });
  await mkdir(join(root, 'node/bin'), { recursive: true });
  await symlink(process.execPath, join(root, 'node/bin/node'));
  const none = join(folder, 'none');
  await mkdir(none);
  for (const tool of ['dirname', 'readlink', 'sh']) await symlink(`/usr/bin/${tool}`, join(none, tool));
  t.deepEqual(await call('run.sh', ['-d'], { PATH: none }), {
    exitCode: 0,
    stdout: '["up","-d"]\n',
    stderr: '',
  });
  t.is((await asked()).length, before);
});

test('where there is no Node.js, the pinned one is downloaded, if its sum is right', async (t) => {
  const { folder, root, call } = await checkout(t);
  await call('run.sh');
  await rm(join(root, 'src'), { recursive: true });
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const tools = ['dirname', 'readlink', 'sh', 'uname', 'mkdir', 'mktemp', 'rm', 'mv', 'curl', 'tar', 'gzip'];
  for (const tool of [...tools, 'sha256sum']) await symlink(`/usr/bin/${tool}`, join(bin, tool));
  const processor = process.arch === 'x64' ? 'x64' : 'arm64';
  const name = `node-v99.0.0-linux-${processor}`;
  await mkdir(join(folder, name, 'bin'), { recursive: true });
  await copyFile(process.execPath, join(folder, name, 'bin/node'));
  await mkdir(join(folder, 'mirror/v99.0.0'), { recursive: true });
  const archive = join(folder, 'mirror/v99.0.0', `${name}.tar.gz`);
  await capture('tar', ['-czf', archive, '-C', folder, name], process.env);
  const pin = (sum: string): Promise<void> =>
    writeFile(
      join(root, 'config/node.lock'),
      `99.0.0 ${processor === 'x64' ? 'amd64' : 'arm64'} ${processor} ${sum} -\n`,
    );
  await mkdir(join(root, 'config'));
  const env = { PATH: bin, HOME: folder, U7S_NODE_MIRROR: pathToFileURL(join(folder, 'mirror')).href };

  await pin('0'.repeat(64));
  const refused = await call('run.sh', [], env);
  t.is(refused.exitCode, 1);
  t.is(refused.stdout, '');
  await pin((await capture('sha256sum', [archive], process.env)).stdout.split(' ')[0] ?? '');
  t.is((await call('run.sh', ['-d'], env)).stdout, '["up","-d"]\n');
  t.deepEqual(await call('run.sh', ['-d'], { PATH: bin, HOME: folder }), {
    exitCode: 0,
    stdout: '["up","-d"]\n',
    stderr: '',
  });
});
