import { chmod, chown, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asUser } from '#src/host/account.js';
import { runOk } from '#src/lib/exec.js';
import { start, type Running } from '../ordinary-user.js';
import { kill } from './checks.js';
import type { Mend, Strike } from './fault.js';
import type { Subject } from './subject.js';
import { until } from './until.js';

/** To every process of these titles. */
export function signal(name: NodeJS.Signals, ...titles: string[]): Strike {
  return async (subject) => {
    for (const title of titles) await subject.find(title);
    for (const { pid, title } of await subject.processes())
      if (titles.includes(title)) process.kill(pid, name);
  };
}

/** Stops what nobody replaces, until it is mended. */
export function pause(title: string): Strike {
  return async (subject) => {
    const { pid } = await subject.find(title);
    process.kill(pid, 'SIGSTOP');
    return () => Promise.resolve(process.kill(pid, 'SIGCONT'));
  };
}

/** SIGKILL to processes in pods, until others are in their place. */
export function killInPods(title: string): Strike {
  return async (subject) => {
    const { pid: one } = await subject.find(title);
    const old = (await subject.processes()).filter((process) => process.title === title);
    for (const { pid } of old) kill(pid);
    await until(`another process ${title} is in place of ${one}`, async () =>
      (await subject.processes()).some(
        (process) => process.title === title && !old.some(({ pid }) => pid === process.pid),
      ),
    );
  };
}

/** The whole machine loses its power, but for its disks. */
export const killEverything: Strike = async (subject) => {
  for (const { pid } of await subject.processes()) kill(pid);
};

/** One after the other; mended in the opposite order. */
export function all(...strikes: Strike[]): Strike {
  return async (subject) => {
    const mends: (Mend | void)[] = [];
    for (const strike of strikes) mends.unshift(await strike(subject));
    return async () => {
      for (const mend of mends) await mend?.();
    };
  };
}

/** The program of a service is replaced by one that ends as soon as it starts, and the service has to be started. */
export function crashOnExec(title: string): Strike {
  return async (subject) => {
    const { command } = await subject.find(title);
    await rename(command, `${command}.away`);
    await writeFile(command, '#!/bin/sh\necho this program is broken >&2\nexit 1\n');
    await chmod(command, 0o755);
    await signal('SIGKILL', title)(subject);
    return () => rename(`${command}.away`, command);
  };
}

/** Listens again and again until the port is its own, and keeps it. */
const racer = (address: string, port: number): string => `
  const take = () => require('net').createServer()
    .once('error', () => setTimeout(take, 1))
    .listen(${port}, '${address}', () => console.log('taken'));
  take();`;

/** Another program takes the port of a service at the moment that the service dies. */
export function portTaken(title: string, port: number): Strike {
  return async (subject) => {
    const { pid } = await subject.find('the supervisor');
    const thief = start(
      'nsenter',
      ['--net', `--target=${pid}`, process.execPath, '-e', racer('0.0.0.0', port)],
      {},
    );
    await dieUntilTaken(subject, title, thief);
    return () => endOf(thief);
  };
}

/** The same for a port of the host, which is RootlessKit's. */
export function hostPortTaken(port: number): Strike {
  return async (subject) => {
    const thief = start(process.execPath, ['-e', racer('127.0.0.1', port)], {});
    await dieUntilTaken(subject, 'RootlessKit', thief);
    return () => endOf(thief);
  };
}

/** A service that is quicker than the thief dies once more. */
async function dieUntilTaken(subject: Subject, title: string, thief: Running): Promise<void> {
  let isTaken = false;
  const taken = thief.said(/taken/).then(() => (isTaken = true));
  while (!isTaken) {
    await signal('SIGKILL', title)(subject);
    await Promise.race([taken, new Promise((resolve) => setTimeout(resolve, 1_000))]);
  }
}

async function endOf(program: Running): Promise<void> {
  program.kill('SIGKILL');
  await program.ended;
}

/** A file or folder of the cluster's state belongs to somebody else, whose it is to read. */
export function closed(path: string): Strike {
  return async ({ account, paths }) => {
    const target = join(paths.state, path);
    await chown(target, 0, 0);
    await chmod(target, (await stat(target)).isDirectory() ? 0o700 : 0o600);
    return () => chown(target, account.uid, account.gid);
  };
}

/** Removed for good: the cluster has to do without it, or to make it again. */
export function removed(path: (subject: Subject) => string): Strike {
  return async (subject) => rm(path(subject), { recursive: true });
}

/** A file that an earlier start, or somebody, has left behind. */
export function present(path: (subject: Subject) => string, content: string): Strike {
  return async (subject) => {
    await runOk('install', ['-d', '-m', '0700', ...ownedBy(subject), subject.paths.runtime]);
    await writeFile(path(subject), content, { mode: 0o600 });
    await chown(path(subject), subject.account.uid, subject.account.gid);
  };
}

/** A process may open no file more: each number below the limit is taken. */
export function outOfFiles(title: string): Strike {
  return async (subject) => {
    const { pid } = await subject.find(title);
    // As the user, since root's rights may end where the namespaces begin.
    const { command, args, env } = asUser(subject.account, ['prlimit', `--pid=${pid}`, '--nofile=3:3'], {});
    await runOk(command, args, { env });
  };
}

/** The file system of the state, as the node sees it, has no block left. */
export const fillDisk: Strike = async (subject) => {
  const { pid } = await subject.find('the launcher');
  const filler = join(`/proc/${pid}/root`, subject.paths.state, 'filler');
  await writeFile(filler, '');
  const fill = (): Promise<unknown> =>
    runOk('sh', ['-c', `! dd if=/dev/zero of=${filler} bs=4k oflag=append conv=nocreat,notrunc 2>/dev/null`]);
  await fill();
  // A service may free some space before the one that was struck wants it.
  const again = setInterval(() => void fill().catch(() => undefined), 100);
  return async () => {
    clearInterval(again);
    await rm(filler);
  };
};

function ownedBy({ account }: Subject): string[] {
  return ['-o', account.name, '-g', String(account.gid)];
}

/** SIGKILL, where what is struck may be gone already. */
export function killIfThere(title: string): Strike {
  return async (subject) => {
    for (const found of await subject.processes()) if (found.title === title) kill(found.pid);
  };
}
