import test from 'ava';
import { distinctFixes, formatFix, u7s, type CommandFix, type Typist } from '#src/lib/fixes.js';

const stop = u7s(['down'], { text: 'stop it' });
const checkout: Typist = (program, args) => [`./${program}`, ...args].join(' ');

test('words stay as they are', (t) => {
  t.is(formatFix('free space on that disk', 'second'), 'free space on that disk');
});

test('a command about the default instance needs no --cluster', (t) => {
  t.is(formatFix(stop, undefined), 'stop it: u7s down');
  t.is(formatFix(u7s(['logs', 'kubelet']), undefined), 'u7s logs kubelet');
});

test('a command about another instance names it: leave without it would remove the data of the default one', (t) => {
  t.is(formatFix(stop, 'second'), 'stop it: u7s --cluster second down');
  t.is(formatFix(u7s(['leave']), 'second'), 'u7s --cluster second leave');
});

test('a command that names an instance itself stays as it is', (t) => {
  t.is(formatFix(u7s(['--cluster', 'third', 'down']), 'second'), 'u7s --cluster third down');
});

test('a command about the host is the same for every instance', (t) => {
  t.is(formatFix(u7s(['init-host'], { about: 'host' }), 'second'), 'u7s init-host');
});

test('a fix that mends several faults is listed once', (t) => {
  t.deepEqual(distinctFixes([stop, 'reboot', { ...stop }, 'reboot', u7s(['down'])]), [
    stop,
    'reboot',
    u7s(['down']),
  ]);
});

test('a command for another host is about the instance of that host, and typed as it is there', (t) => {
  const line = u7s(['join-command'], { on: 'control-plane', text: 'get a new line' });
  t.is(formatFix(line, 'second', checkout), 'on the control plane: get a new line: u7s join-command');
  t.is(formatFix(u7s(['leave'], { on: 'other-node' }), 'second', checkout), 'on the other host: u7s leave');
});

test('several commands are typed one after the other, each for the same instance', (t) => {
  const again: CommandFix = { commands: [['down'], ['up', '-d']], text: 'start it again' };
  t.is(formatFix(again, 'second'), 'start it again: u7s --cluster second down && u7s --cluster second up -d');
  t.is(
    formatFix({ ...again, on: 'control-plane' }, 'second'),
    'on the control plane: start it again: u7s down && u7s up -d',
  );
});

test('rootlessctl is called by its own name', (t) => {
  const remove = u7s(['remove-ports', '3'], { program: 'rootlessctl' });
  t.is(formatFix(remove, undefined), 'rootlessctl remove-ports 3');
  t.is(formatFix(remove, 'second', checkout), './rootlessctl --cluster second remove-ports 3');
});

test('a person types it as they call the program', (t) => {
  t.is(formatFix(stop, 'second', checkout), 'stop it: ./u7s --cluster second down');
});

test('arguments are quoted for the shell that they are pasted into', (t) => {
  t.is(
    formatFix(u7s(['up', '--config', '/home/a b/c.yaml']), undefined),
    `u7s up --config '/home/a b/c.yaml'`,
  );
});
