import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { renderRuntimeWrapper } from '#src/runtimes/runc-without-cgroups.js';
import { temporary } from '../temporary.js';

const execute = promisify(execFile);

/** A wrapper round a stand-in for runc that prints its arguments, one a line. */
async function install(t: ExecutionContext, folder = 'it\'s a "home" of $(blanks)') {
  const root = await temporary(t);
  const home = join(root, folder);
  const bundle = join(home, 'a bundle');
  await mkdir(bundle, { recursive: true });
  const runc = join(home, 'runc');
  await writeFile(runc, '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n');
  await chmod(runc, 0o700);
  const wrapper = join(home, 'wrapper');
  await writeFile(wrapper, renderRuntimeWrapper(runc));
  await chmod(wrapper, 0o700);
  const config = join(bundle, 'config.json');
  const run = async (args: string[], cwd = home) => {
    try {
      await execute(wrapper, args, { cwd });
      return { code: 0, lines: [''] };
    } catch (error) {
      const { code, stdout } = error as { code: number; stdout: string };
      return { code, lines: stdout.split('\n').slice(0, -1) };
    }
  };
  return { bundle, config, run };
}

const limited = {
  ociVersion: '1.2.0',
  linux: { resources: { memory: { limit: 1 } }, cgroupsPath: '/k8s.io/x' },
};
const unlimited = {
  ociVersion: '1.2.0',
  linux: { unlimitedResources: { memory: { limit: 1 } }, cgroupsPath: '' },
};

const creations: Record<string, (bundle: string) => string[]> = {
  "as containerd's shim calls it": (bundle) =>
    ['--root', '/run/runc/k8s.io', '--log', `${bundle}/log.json`, '--log-format', 'json', 'create'].concat([
      '--bundle',
      bundle,
      '--pid-file',
      `${bundle}/init.pid`,
      '--no-pivot',
      'id',
    ]),
  'with --bundle=': (bundle) => ['create', `--bundle=${bundle}`, 'id'],
  'with -b': (bundle) => ['--debug', 'create', '-b', bundle, 'id'],
  'with the bundle after the name': (bundle) => ['create', 'id', '--bundle', bundle],
  'with an option whose value is "exec"': (bundle) => ['--root', 'exec', 'create', '-b', bundle, 'id'],
  'with an option whose value looks like an option': (bundle) => [
    'create',
    '--pid-file',
    '--bundle',
    '--bundle',
    bundle,
    'id',
  ],
};

for (const [how, args] of Object.entries(creations)) {
  test(`create ${how} gets a configuration without cgroups and limits`, async (t) => {
    const { bundle, config, run } = await install(t);
    await writeFile(config, JSON.stringify(limited));
    t.deepEqual(await run(args(bundle)), { code: 7, lines: args(bundle) });
    t.deepEqual(JSON.parse(await readFile(config, 'utf8')), unlimited);
  });
}

test('without an option, the bundle is the current directory', async (t) => {
  const { bundle, config, run } = await install(t);
  await writeFile(config, JSON.stringify(limited));
  await run(['create', 'id'], bundle);
  t.deepEqual(JSON.parse(await readFile(config, 'utf8')), unlimited);
});

test('white space in the configuration does not matter', async (t) => {
  const { bundle, config, run } = await install(t);
  await writeFile(config, JSON.stringify(limited, null, '\t').replaceAll(': {', ' :\n{') + '\n');
  await run(['create', '-b', bundle, 'id']);
  t.deepEqual(JSON.parse(await readFile(config, 'utf8')), unlimited);
});

test('every other command reaches runc as it is and leaves the configuration alone', async (t) => {
  const { bundle, config, run } = await install(t);
  await writeFile(config, JSON.stringify(limited));
  const commands = [
    ['--version'],
    ['--root', 'create', 'state', 'id'],
    ['exec', '--process', '/tmp/process 1.json', 'id', 'create', '-b', bundle],
    ['delete', '--force', 'id'],
    ['kill', 'id', '9'],
    ['', '*', '$HOME', "'", '\\'],
  ];
  for (const args of commands) t.deepEqual(await run(args, bundle), { code: 7, lines: args });
  t.deepEqual(JSON.parse(await readFile(config, 'utf8')), limited);
});

test('the configuration keeps its mode and nothing is left beside it', async (t) => {
  const { bundle, config, run } = await install(t);
  for (const mode of [0o600, 0o644]) {
    await writeFile(config, JSON.stringify(limited));
    await chmod(config, mode);
    await run(['create', '-b', bundle, 'id']);
    t.is((await stat(config)).mode & 0o777, mode);
    t.deepEqual(await readdir(bundle), ['config.json']);
  }
});

test('a bundle without configuration is for runc to complain of', async (t) => {
  const { bundle, run } = await install(t);
  t.deepEqual(await run(['create', '-b', bundle, 'id']), { code: 7, lines: ['create', '-b', bundle, 'id'] });
});

test('whatever a configuration holds, only the two keys change', async (t) => {
  const { bundle, config, run } = await install(t);
  const nasty = fc.constantFrom(
    '"resources":{',
    '\\"resources":{',
    ',"resources":{}',
    '{"cgroupsPath":"/x"',
    '","cgroupsPath":"',
    'x"cgroupsPath',
    '\n"cgroupsPath":"',
    '\\',
    '"',
    '\u2028',
    '💥',
    '&',
  );
  const text = fc
    .array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { maxLength: 4 })
    .map((parts) => parts.join(''));
  // An annotation of exactly this name would be emptied; it has no meaning in any runtime.
  const key = text.filter((name) => name !== 'cgroupsPath' && name !== '__proto__');
  const spec = fc.record({
    annotations: fc.dictionary(key, text),
    process: fc.record({ args: fc.array(text), env: fc.array(text), cwd: text }),
    mounts: fc.array(fc.record({ source: text, options: fc.array(text) })),
    linux: fc.record({
      sysctl: fc.dictionary(key, text),
      resources: fc.dictionary(key, text),
      cgroupsPath: text,
    }),
  });
  await fc.assert(
    fc.asyncProperty(spec, fc.constantFrom(0, 1), async (given, indent) => {
      await writeFile(config, JSON.stringify(given, null, indent));
      await run(['create', '-b', bundle, 'id']);
      const { resources, ...linux } = given.linux;
      t.deepEqual(
        JSON.parse(await readFile(config, 'utf8')),
        JSON.parse(
          JSON.stringify({
            ...given,
            linux: { ...linux, unlimitedResources: resources, cgroupsPath: '' },
          }),
        ),
      );
    }),
    { numRuns: 150 },
  );
});
