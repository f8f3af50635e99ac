import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { Command } from 'commander';
import { create, extract } from 'tar';
import { defineImage } from '#src/cli/commands/image.js';
import type { U7sError } from '#src/lib/errors.js';
import { pauseProgram } from '#src/images/pause.js';
import { temporary } from '../temporary.js';

const named = ['image', 'build-from', '--name', 'localhost/hello:1'];

test('an image is made of a static program, which it runs', async (t) => {
  const { u7s, folder, configOf } = await setUp(t);
  await writeFile(join(folder, 'hello'), pauseProgram('amd64'));
  t.is(await u7s([...named, join(folder, 'hello'), '-o', join(folder, 'out.tar')]), 'localhost/hello:1\n');
  t.deepEqual((await configOf('out.tar')).Entrypoint, ['/hello']);
});

test('an image is made of files at given places', async (t) => {
  const { u7s, folder, configOf } = await setUp(t);
  await writeFile(join(folder, 'a:b'), 'content');
  const options = [
    '--file',
    `${join(folder, 'a:b')}:/etc/x`,
    '--cmd=/bin/x',
    '--cmd=-c',
    '--env',
    'A=1=2',
    '--user=1',
  ];
  await u7s([...named, ...options, '--workdir', '/etc', '-o', join(folder, 'out.tar')]);
  t.deepEqual(await configOf('out.tar'), {
    User: '1',
    Env: ['A=1=2'],
    Cmd: ['/bin/x', '-c'],
    WorkingDir: '/etc',
  });
});

test('an image is made of an archive on stdin', async (t) => {
  const { u7s, folder, configOf, stdin } = await setUp(t);
  await writeFile(join(folder, 'file'), 'content');
  create({ cwd: folder, gzip: true }, ['file']).pipe(stdin);
  await u7s([...named, '-', '-o', join(folder, 'out.tar')]);
  t.deepEqual(await configOf('out.tar'), {});
});

const mistakes: Record<string, { args: string[]; code: string; message?: RegExp }> = {
  'nothing to make it of': { args: ['-o', 'x'], code: 'image-source' },
  'nothing to do with it': { args: ['.'], code: 'image-target' },
  'a bad name': {
    args: ['.', '--name', 'Hello', '-o', 'FOLDER/x'],
    code: 'image-name-invalid',
    message: /"Hello"/,
  },
  'a bad variable': {
    args: ['.', '--env', '=x', '-o', 'FOLDER/x'],
    code: 'variable-invalid',
    message: /"=x"/,
  },
  'a file without a place': {
    args: ['--file', './hello', '-o', 'FOLDER/x'],
    code: 'file-invalid',
    message: /"\.\/hello"/,
  },
  'a missing file': {
    args: ['FOLDER/missing', '-o', 'FOLDER/x'],
    code: 'no-such-file',
    message: /\/missing/,
  },
  'a folder to write to that is missing': {
    args: ['FOLDER', '-o', 'FOLDER/no/x'],
    code: 'not-writable',
    message: /\/no\/x \(ENOENT\)/,
  },
  'no cluster to load it into': { args: ['FOLDER', '--load'], code: 'not-running' },
};

for (const [what, { args, ...expected }] of Object.entries(mistakes)) {
  test(`build-from with ${what} says so and leaves nothing`, async (t) => {
    const { u7s, folder } = await setUp(t);
    const words = args.map((word) => word.replace('FOLDER', folder));
    await t.throwsAsync(u7s([...named, ...words]), expected);
    t.deepEqual(await readdir(folder), ['run']);
  });
}

for (const verb of [['load', 'x.tar'], ['ls']]) {
  test(`${verb[0]} without a cluster says how to start one`, async (t) => {
    const { u7s } = await setUp(t);
    const error = await t.throwsAsync<U7sError>(u7s(['image', ...verb]), { code: 'not-running' });
    t.like(error?.fixes, [{ commands: [['up']] }]);
  });
}

async function setUp(t: ExecutionContext) {
  const folder = await temporary(t);
  const runtimeDir = join(folder, 'run');
  await mkdir(runtimeDir, { mode: 0o700 });
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const u7s = async (argv: string[]): Promise<string> => {
    const program = new Command().option('--cluster <name>');
    defineImage(program, {
      io: { stdin, stdout, stderr, env: { HOME: folder, XDG_RUNTIME_DIR: runtimeDir }, cwd: folder },
      signal: new AbortController().signal,
      projectRoot: process.cwd(),
      exitCode: 0,
    });
    await program.parseAsync(argv, { from: 'user' });
    return String(stdout.read() ?? '');
  };
  const configOf = async (archive: string): Promise<Record<string, unknown>> => {
    await extract({ file: join(folder, archive), cwd: runtimeDir });
    const read = async (path: string): Promise<unknown> =>
      JSON.parse(await readFile(join(runtimeDir, path), 'utf8'));
    const [{ Config }] = (await read('manifest.json')) as [{ Config: string }];
    return ((await read(Config)) as { config: Record<string, unknown> }).config;
  };
  return { u7s, folder, stdin, configOf };
}
