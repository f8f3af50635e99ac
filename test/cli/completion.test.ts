import { execFileSync } from 'node:child_process';
import test from 'ava';
import { runCli } from './run-cli.js';

/** What bash offers after the last of `words` when TAB is pressed. */
async function complete(...words: string[]): Promise<string[]> {
  const { stdout: script } = await runCli(['completion', 'bash']);
  const request = `
COMP_WORDS=(u7s ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_u7s
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['--norc', '-u', '-c', `${script}${request}`], { encoding: 'utf8' });
  return out.split('\n').filter(Boolean);
}

test('completes commands', async (t) => {
  t.deepEqual(await complete('kubec'), ['kubectl', 'kubeconfig']);
  t.true((await complete('')).includes('logs'));
});

test('completes the options of a command and the global ones', async (t) => {
  t.deepEqual(await complete('logs', '--fo'), ['--follow']);
  t.deepEqual(await complete('logs', '--clu'), ['--cluster']);
  t.deepEqual(await complete('kubeconfig', '--fo'), []);
});

test('completes the choices of options and arguments', async (t) => {
  t.deepEqual(await complete('version', '-o', ''), ['json']);
  t.deepEqual(await complete('--progress', 'p'), ['plain']);
  t.deepEqual(await complete('completion', ''), [
    'bash',
    'zsh',
    'fish',
    ...(await complete('completion', '-')),
  ]);
});

test('does not take an option value for a command', async (t) => {
  t.deepEqual(await complete('--cluster', 'logs', 'kubec'), ['kubectl', 'kubeconfig']);
  t.deepEqual(await complete('logs', '--cluster', ''), []);
});

test('leaves the arguments of kubectl alone', async (t) => {
  t.deepEqual(await complete('kubectl', '--'), []);
});

test('zsh and fish get scripts with the same commands', async (t) => {
  for (const shell of ['zsh', 'fish']) {
    const { exitCode, stdout } = await runCli(['completion', shell]);
    t.is(exitCode, 0);
    for (const verb of ['logs', 'kubeconfig', 'version']) t.true(stdout.includes(verb), `${shell} ${verb}`);
  }
});
