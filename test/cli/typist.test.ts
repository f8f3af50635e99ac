import test from 'ava';
import { instanceTypist, fixText } from '#src/cli/typist.js';
import type { Cli } from '#src/cli/command.js';
import { u7s } from '#src/lib/fixes.js';
import { PassThrough } from 'node:stream';

function cliOf(cluster: string, { checkout = '.', projectRoot = '/opt/usernetes' } = {}): Cli {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const io = { stdin, stdout, stderr, env: { U7S_CHECKOUT: checkout }, cwd: '/' };
  return { io, signal: new AbortController().signal, projectRoot, exitCode: 0, cluster };
}

test('a fix that would remove data names the instance that the command was about', (t) => {
  const leave = u7s(['leave'], { text: 'give up its data' });
  t.is(fixText(cliOf('second'), leave), 'give up its data: ./bin/u7s.js --cluster second leave');
  t.is(fixText(cliOf('default'), leave), 'give up its data: ./bin/u7s.js leave');
});

test('a fix for another host knows nothing of the instance here, nor of the checkout', (t) => {
  const fix = u7s(['node', 'rm', 'b'], { on: 'control-plane', text: 'remove it' });
  t.is(fixText(cliOf('second'), fix), 'on the control plane: remove it: u7s node rm b');
});

test('verbs that have a script are typed by it, several commands in a row', (t) => {
  const renew = { text: 'renew', commands: [['down'], ['up', '-d']] };
  t.is(
    fixText(cliOf('second', { checkout: '/src' }), renew),
    'renew: /src/bin/u7s.js --cluster second down && /src/run.sh --cluster second -d',
  );
  t.is(
    instanceTypist(cliOf('second'))(['kubectl', 'get', 'nodes']),
    './kubectl.sh --cluster second get nodes',
  );
});

test('a command that names an instance keeps that name', (t) => {
  const other = u7s(['--cluster', 'NAME', 'up', 'default-docker'], { text: 'start another' });
  t.is(fixText(cliOf('second'), other), 'start another: ./run.sh --cluster NAME default-docker');
});
