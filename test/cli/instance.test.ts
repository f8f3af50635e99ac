import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { Command } from 'commander';
import type { Cli } from '#src/cli/command.js';
import { createGlobalOptions } from '#src/cli/globals.js';
import { withInstance } from '#src/cli/instance.js';
import { u7s } from '#src/lib/fixes.js';
import { clusterHome } from './cluster-home.js';
import { runCli } from './run-cli.js';

const words = ['192.0.2.10:6443', '--token', 'abcdef.0123456789abcdef'];
const hash = ['--discovery-token-ca-cert-hash', `sha256:${'0'.repeat(64)}`];

test('a fix that gives up data is about the instance of the command, not about the default one', async (t) => {
  const { env, state } = await clusterHome(t);
  const second = join(dirname(state), 'second');
  await mkdir(second);
  const settled = { controlPlane: 'https://192.0.2.10:6443', nodeName: 'b', hostIp: '192.0.2.11' };
  const remembered = {
    preset: 'default-containerd',
    runtime: 'containerd',
    kubernetes: true,
    artifactPaths: {},
    settled,
  };
  await writeFile(join(second, 'cluster.json'), JSON.stringify(remembered));
  const { exitCode, stderr } = await runCli(['--cluster', 'second', 'join', ...words, ...hash], env);
  t.is(exitCode, 1);
  t.regex(stderr, /^error\[already-joined\]/);
  t.regex(stderr, /fix: .*--cluster second leave$/m);
});

test('a fix for the control plane carries no --cluster of this host', async (t) => {
  const { env } = await clusterHome(t);
  const { exitCode, stderr } = await runCli(['--cluster', 'second', 'join', ...words], env);
  t.is(exitCode, 2);
  t.regex(stderr, /^error\[invitation-missing\]/);
  t.regex(stderr, /fix: on the control plane: .*: u7s join-command$/m);
});

test('fixes of warnings are completed like those of errors; for programs they are data', async (t) => {
  const { env } = await clusterHome(t);
  const fix = u7s(['leave'], { text: 'give up its data' });
  const said = async (...args: string[]): Promise<string> => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const io = { stdin, stdout, stderr, env, cwd: '/' };
    const cli: Cli = { io, signal: new AbortController().signal, projectRoot: '/nowhere', exitCode: 0 };
    const command = new Command('warn').action((_: unknown, self: Command) =>
      withInstance(cli, self, ({ report }) => {
        report({ kind: 'warning', text: 'it is not good', code: 'not-good', fixes: [fix] });
        return Promise.resolve();
      }),
    );
    for (const option of createGlobalOptions()) command.addOption(option);
    await command.parseAsync(['--cluster', 'second', ...args], { from: 'user' });
    stderr.end();
    return (await stderr.toArray()).join('');
  };
  t.is(
    await said('--progress', 'plain'),
    'warning: it is not good\n  fix: give up its data: u7s --cluster second leave\n',
  );
  t.like(JSON.parse(await said('--progress', 'json')), { code: 'not-good', fixes: [fix] });
});
