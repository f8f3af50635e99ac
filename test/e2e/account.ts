import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { preparedAccount } from '#src/host/account.js';

/** The ordinary user that the cluster runs as. */
export function account(): ReturnType<typeof preparedAccount> {
  return preparedAccount(process.env);
}

export type Process = { pid: number; uid: number; command: string; startTime: string };

/** A process and all its descendants, as the host sees them. */
export async function processTree(root: number): Promise<Process[]> {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of await parents()) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return (await Promise.all(below(root).map(describe))).flat();
}

/** Those of the processes that still run: the same pid with another start time is another process. */
export async function stillRunning(processes: Process[]): Promise<Process[]> {
  const now = (await Promise.all(processes.map(({ pid }) => describe(pid)))).flat();
  return now.filter(({ pid, startTime }) =>
    processes.some((process) => process.pid === pid && process.startTime === startTime),
  );
}

/** Where the processes listen on the host, as address:port. */
export async function tcpListenersOf(processes: Process[]): Promise<string[]> {
  const sockets = new Set((await Promise.all(processes.map(({ pid }) => socketsOf(pid)))).flat());
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8')));
  return tables.flatMap((table) =>
    table
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // proc(5): local_address is the second field, state the fourth (0A is LISTEN), inode the tenth.
      .filter((fields) => fields[3] === '0A' && sockets.has(`socket:[${fields[9]}]`))
      .map(([, local = '']) => readableAddress(local)),
  );
}

async function parents(): Promise<{ pid: number; parent: number }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const fields = await statFields(Number(pid));
      return fields === undefined ? [] : [{ pid: Number(pid), parent: Number(fields[1]) }];
    }),
  );
  return found.flat();
}

async function describe(pid: number): Promise<Process[]> {
  try {
    const fields = await statFields(pid);
    const [command = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    const { uid } = await stat(`/proc/${pid}`);
    return fields === undefined || fields[0] === 'Z'
      ? []
      : [{ pid, uid, command, startTime: fields[19] ?? '' }];
  } catch {
    return []; // it ended while we looked
  }
}

/** The fields of proc_pid_stat(5) from the third, the state, on. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function socketsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  return Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
}

/** `0100007F:192B` as 127.0.0.1:6443; an IPv6 address stays as it is. */
function readableAddress(local: string): string {
  const [address = '', port = ''] = local.split(':');
  const bytes = address
    .match(/../g)
    ?.map((byte) => parseInt(byte, 16))
    .reverse();
  return `${bytes?.length === 4 ? bytes.join('.') : address}:${parseInt(port, 16)}`;
}
