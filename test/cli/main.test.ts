import { readFileSync } from 'node:fs';
import test from 'ava';
import { errorJson, formatError } from '#src/cli/errors.js';
import { wrappers } from '#src/cli/globals.js';
import { Interrupted } from '#src/cli/interrupted.js';
import { U7sError } from '#src/lib/errors.js';
import { formatFix as formatFixOf, u7s, type Fix } from '#src/lib/fixes.js';
import { clusterHome } from './cluster-home.js';
import { runCli } from './run-cli.js';

const formatFix = (fix: Fix, instance?: string): string => formatFixOf(fix, instance);

test('without arguments shows the help, examples first', async (t) => {
  const { exitCode, stdout, stderr } = await runCli([]);
  t.is(exitCode, 0);
  t.is(stderr, '');
  t.true(stdout.trimStart().startsWith('Examples:'));
  t.true(stdout.indexOf('Usage: u7s') > 0);
  t.true(stdout.indexOf('kubectl') > 0);
});

test('every command has a help with exit code 0, and tells of the global options', async (t) => {
  const { stdout } = await runCli(['--help']);
  const listed = (stdout.split('Commands:\n')[1] ?? '').matchAll(/^ {2}([a-z][a-z-]*)/gm);
  const verbs = [...listed]
    .map(([, verb]) => verb ?? '')
    .filter((verb) => !wrappers.has(verb) && verb !== 'help');
  t.true(verbs.length > 5);
  for (const verb of verbs) {
    const help = await runCli([verb, '--help']);
    t.is(help.exitCode, 0, verb);
    t.regex(help.stdout, new RegExp(`Usage: u7s ${verb}`), verb);
    t.regex(help.stdout, /--cluster <name>/, verb);
  }
});

test('--version prints the version of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.like(await runCli(['--version']), { exitCode: 0, stdout: `${version}\n` });
});

test('a mistyped command is a usage error that suggests the near one', async (t) => {
  const { exitCode, stdout, stderr } = await runCli(['kubeconfg']);
  t.is(exitCode, 2);
  t.is(stdout, '');
  t.is(stderr, "error[usage]: unknown command 'kubeconfg'\n  fix: did you mean kubeconfig?\n");
});

test('a mistyped option is a usage error that suggests the near one', async (t) => {
  const { exitCode, stderr } = await runCli(['logs', '--folow']);
  t.is(exitCode, 2);
  t.is(stderr, "error[usage]: unknown option '--folow'\n  fix: did you mean --follow?\n");
});

test('a usage error without a near word points to the help of the command', async (t) => {
  const { exitCode, stderr } = await runCli(['completion']);
  t.is(exitCode, 2);
  t.is(
    stderr,
    "error[usage]: missing required argument 'shell'\n  fix: read the help: ./bin/u7s.js completion --help\n",
  );
});

test('a wrong choice names the right ones', async (t) => {
  const { exitCode, stderr } = await runCli(['version', '-o', 'xml']);
  t.is(exitCode, 2);
  t.regex(stderr, /^error\[usage\]: .*Allowed choices are json/);
});

test('a cluster name that could leave its folder is refused, wherever it comes from', async (t) => {
  for (const result of [
    await runCli(['--cluster', '../x', 'kubeconfig']),
    await runCli(['kubeconfig', '--cluster', '../x']),
    await runCli(['kubeconfig'], { U7S_CLUSTER: '../x' }),
  ]) {
    t.is(result.exitCode, 2);
    t.regex(result.stderr, /^error\[cluster-name\]: "\.\.\/x"/);
  }
});

test('an interruption has the exit code that shells give it', (t) => {
  t.is(new Interrupted('SIGINT').exitCode, 130);
  t.is(new Interrupted('SIGTERM').exitCode, 143);
});

test('an error names its code, its cause and its fix; the causes behind it only with --verbose', (t) => {
  const error = new U7sError('port-taken', 'cannot listen', {
    fixes: ['stop the other'],
    cause: new Error('EADDRINUSE'),
  });
  t.is(formatError(error, false, formatFix), 'error[port-taken]: cannot listen\n  fix: stop the other\n');
  t.is(
    formatError(error, true, formatFix),
    'error[port-taken]: cannot listen\n  fix: stop the other\n  cause: EADDRINUSE\n',
  );
});

test('for programs an error is one object, with its fixes as data and in words', (t) => {
  const fix = u7s(['down'], { text: 'stop it' });
  const error = new U7sError('already-running', 'it runs', { fixes: [fix] });
  t.deepEqual(JSON.parse(errorJson(error, (each) => formatFix(each, 'second'))), {
    error: {
      code: 'already-running',
      message: 'it runs',
      fixes: [{ fix, text: 'stop it: u7s --cluster second down' }],
    },
  });
});

test('a command with -o json reports its errors as JSON', async (t) => {
  const { env } = await clusterHome(t);
  const { exitCode, stdout, stderr } = await runCli(
    ['--cluster', 'second', 'token', 'list', '-o', 'json'],
    env,
  );
  t.deepEqual([exitCode, stdout], [1, '']);
  const { error } = JSON.parse(stderr) as { error: { code: string; fixes: { text: string }[] } };
  t.is(error.code, 'not-running');
  t.regex(error.fixes[0]?.text ?? '', /--cluster second/);
});

test('an error of the kernel that can come from anywhere has its remedy, also as a cause', (t) => {
  const error = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  const fix = '  fix: allow more open files: ulimit -n 4096\n';
  t.is(formatError(error, false, formatFix), `error[unforeseen]: EMFILE: too many open files\n${fix}`);
  t.is(
    formatError(new U7sError('not-readable', 'cannot read x', { cause: error }), false, formatFix),
    `error[not-readable]: cannot read x\n${fix}`,
  );
});

test('an unforeseen error is one short line; its stack only with --verbose', (t) => {
  const error = new TypeError('x is undefined');
  t.is(
    formatError(error, false, formatFix),
    'error[unforeseen]: x is undefined\n  this was not foreseen; --verbose shows where it happened\n',
  );
  t.regex(formatError(error, true, formatFix), /^error\[unforeseen\]: x is undefined\n {4}at .*main\.test/);
});

test('version -o json names u7s, Node.js and the components', async (t) => {
  const { exitCode, stdout } = await runCli(['version', '-o', 'json']);
  t.is(exitCode, 0);
  const versions = JSON.parse(stdout) as { u7s: string; node: string; components: Record<string, string> };
  t.is(versions.node, process.versions.node);
  t.regex(versions.components.kubernetes ?? '', /^1\.\d+\.\d+$/);
});

test('an error that quotes others cannot command the terminal', (t) => {
  const error = new U7sError('api-refused', 'denied: \x1b[2Jok', { fixes: ['\x9b31m'] });
  t.is(formatError(error, false, formatFix), 'error[api-refused]: denied: \\x1b[2Jok\n  fix: \\x9b31m\n');
});
