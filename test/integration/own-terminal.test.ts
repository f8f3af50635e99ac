import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Account } from '#src/host/account.js';
import { run, runOk } from '#src/lib/exec.js';
import { isAlive } from '#src/lib/processes.js';
import { makeUser, needsRoot, removeUser } from '../ordinary-user.js';

const runAs = join(import.meta.dirname, '../fixtures/as-root/run-as.js');
const serial = needsRoot === undefined ? test.serial : test.serial.skip;
let account: Account;
let folder: string;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'u7s-terminal-'));
  await chmod(folder, 0o755);
  if (needsRoot === undefined) account = await makeUser('u7s-terminal', 0);
});
test.after.always(async () => {
  await rm(folder, { recursive: true, force: true });
  if (needsRoot === undefined) await removeUser('u7s-terminal');
});

type Terminal = {
  type: (keys: string) => void;
  /** Waits until this has been printed; returns what was captured. */
  shows: (what: RegExp) => Promise<RegExpExecArray>;
  ended: Promise<{ exitCode: number | null; output: string }>;
};

/** Root types `line` at a terminal of 111 columns; `$run` in front of a command is what makes it the account's. */
function atTerminal(line: string): Terminal {
  const child = spawn('script', ['-qefc', `stty columns 111 rows 33; ${line}`, '/dev/null'], {
    env: {
      PATH: process.env.PATH,
      SHELL: '/bin/bash',
      run: `${process.execPath} ${runAs} ${account.name}`,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return watched(child);
}

function watched(child: ChildProcess): Terminal {
  let output = '';
  const listeners = new Set<() => void>();
  child.stdout?.on('data', (chunk) => {
    output += String(chunk);
    for (const listener of listeners) listener();
  });
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  return {
    type: (keys) => void child.stdin?.write(keys),
    shows: (what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = what.exec(output);
          if (found === null) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without showing ${what}: ${output}`)));
      }),
    ended,
  };
}

/** What the account's process finds, written to a file of its own, so that it depends on none of the streams. */
const probe = `
exec 9>>"$1"
for fd in 0 1 2; do echo "stream: $(readlink /proc/$$/fd/$fd)"; done >&9
echo "terminal: /dev/$(ps -o tty= -p $$)" >&9
echo "session: $(ps -o sid= -p $$ | tr -d ' ')" >&9`;

const redirections = [
  '',
  '</dev/null',
  '| cat',
  '2>/dev/null',
  '</dev/null 2>/dev/null',
  '</dev/null 2>/dev/null | cat',
];
for (const [index, streams] of redirections.entries()) {
  serial(`the account never holds root's terminal: command ${streams}`, async (t) => {
    const [script, found] = [join(folder, 'probe.sh'), join(folder, `found-${index}`)];
    await writeFile(script, probe);
    await writeFile(found, '');
    await chmod(script, 0o644);
    await chmod(found, 0o666);
    const session = "$(ps -o sid= -p $$ | tr -d ' ')";
    const { output } = await atTerminal(
      `echo "root: $(tty) ${session}"; $run sh ${script} ${found} ${streams}; true`,
    ).ended;
    const [, terminal = '', own = ''] = /root: (\S+) (\d+)/.exec(output) ?? [];
    t.regex(terminal, /^\/dev\/pts\/\d+$/);
    const seen = (await readFile(found, 'utf8')).split('\n');
    t.is(seen.filter((line) => line.startsWith('stream: ')).length, 3);
    t.false(seen.includes(`stream: ${terminal}`));
    t.false(seen.includes(`terminal: ${terminal}`));
    t.false(seen.includes(`session: ${own}`));
  });
}

serial('what root has open besides the three streams stays closed to the account', async (t) => {
  const { output } = await atTerminal(
    "exec 9</etc/shadow 33</etc/shadow; $run sh -c 'ls -l /proc/$$/fd; echo looked'",
  ).ended;
  t.regex(output, /looked/);
  t.notRegex(output, /shadow/);
});

serial("the keys of root's session stay closed to the account", async (t) => {
  const look = 'keyctl search @s user u7s-word 2>&1; keyctl show @s >/dev/null && echo looked';
  const { stdout } = await run('keyctl', [
    ...['session', '-', 'sh', '-c'],
    `keyctl add user u7s-word secret @s >/dev/null; ${look}; ${process.execPath} ${runAs} ${account.name} sh -c '${look}'`,
  ]);
  t.regex(stdout, /^\d+\nlooked\n.*not available\nlooked$/);
});

serial("the terminal is as large as root's, and follows when that changes", async (t) => {
  const terminal = atTerminal(
    `echo "root: $(tty)"; $run bash -c 'trap "stty size; exit" WINCH; stty size; while :; do sleep 0.05; done'`,
  );
  const [, path = ''] = await terminal.shows(/root: (\S+)/);
  await terminal.shows(/33 111/);
  await runOk('stty', ['-F', path, 'columns', '90']);
  await terminal.shows(/33 90/);
  t.is((await terminal.ended).exitCode, 0);
});

serial('Ctrl-C interrupts the command', async (t) => {
  const terminal = atTerminal(`$run sh -c 'echo ready; exec sleep 60'`);
  await terminal.shows(/ready/);
  terminal.type('\x03');
  t.is((await terminal.ended).exitCode, 130);
});

serial('Ctrl-C interrupts a command whose streams are all pipes', async (t) => {
  const terminal = atTerminal(`$run sh -c 'echo "account: $$"; exec sleep 60' </dev/null 2>&1 | cat`);
  const [, command = ''] = await terminal.shows(/account: (\d+)/);
  terminal.type('\x03');
  await terminal.ended;
  t.true(await endsSoon(Number(command)));
});

serial('what is typed reaches the command, and its answer comes back', async (t) => {
  const terminal = atTerminal(`$run sh -c 'echo ready; read line; echo "heard <$line>"'`);
  await terminal.shows(/ready/);
  terminal.type('hello\n');
  await terminal.shows(/heard <hello>/);
  t.is((await terminal.ended).exitCode, 0);
});

serial("the command's exit code is that of root's", async (t) => {
  t.is((await atTerminal(`$run sh -c 'exit 7'`).ended).exitCode, 7);
  t.is((await atTerminal(`$run sh -c 'kill -TERM $$'`).ended).exitCode, 143);
});

serial('pipes carry their bytes unchanged, while errors go to the terminal', async (t) => {
  const { output } = await atTerminal(
    `printf 'one\\ntwo\\000' | $run sh -c 'cat; echo to the terminal >&2' | od -An -c`,
  ).ended;
  t.regex(output, /o +n +e +\\n +t +w +o +\\0\r?\n/);
  t.regex(output, /to the terminal/);
});

serial("the command ends when root's is killed", async (t) => {
  const terminal = atTerminal(`echo "root: $$"; exec $run sh -c 'echo "account: $$"; exec sleep 60'`);
  const [, root = ''] = await terminal.shows(/root: (\d+)/);
  const [, command = ''] = await terminal.shows(/account: (\d+)/);
  process.kill(Number(root), 'SIGKILL');
  await terminal.ended;
  t.true(await endsSoon(Number(command)));
});

async function endsSoon(pid: number): Promise<boolean> {
  const end = Date.now() + 5_000;
  while (isAlive(pid) && Date.now() < end) await delay(20);
  return !isAlive(pid);
}
