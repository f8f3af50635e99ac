import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run, type RunResult } from '#src/lib/exec.js';
import type { GuestImage } from './image.js';

/** A running guest. Its users log in by ssh, each once for a boot: their commands share that login's session. */
export type Guest = {
  /** Is aborted when the guest has ended, or answers no longer. */
  lost: AbortSignal;
  /** Runs a line of shell; never throws for its exit code. */
  sh(user: string, script: string): Promise<RunResult>;
  /** Like `sh`, but must succeed; returns what it printed. */
  ok(user: string, script: string): Promise<string>;
  /** Makes a port of the guest's loopback reachable on ours; lasts until the guest's reboot. Returns our port. */
  forward(user: string, port: number): Promise<number>;
  reboot(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Boots the guest, without hardware virtualization so that it runs anywhere: its processor is some thirty times slower.
 * Changes to its disks last as long as the process. It has no network but this host's ssh, on loopback.
 */
export async function bootGuest(image: GuestImage, payload: string, scratch: string): Promise<Guest> {
  const port = await freePort();
  const qemu = companion('qemu-system-x86_64', qemuArgs(image, payload, scratch, port), [
    'ignore',
    'inherit',
    'inherit',
  ]);
  const ended = once(qemu, 'exit');
  const over = new AbortController();
  const lose = async (what: string): Promise<void> => {
    const log = await readFile(join(scratch, 'console.log'), 'utf8').catch(() => '');
    over.abort(
      new Error(`${what}; its console ends with:\n${log.trimEnd().split('\n').slice(-20).join('\n')}`),
    );
  };
  void ended.then(() => lose('QEMU ended'));

  const sshArgs = (user: string): string[] =>
    [
      ...['-F', 'none', '-i', image.sshKey, '-p', String(port), '-l', user],
      ...[
        'StrictHostKeyChecking=no',
        'UserKnownHostsFile=/dev/null',
        'LogLevel=ERROR',
        'ConnectTimeout=90',
        'ServerAliveInterval=30',
      ],
      ...['ControlMaster=auto', 'ControlPersist=yes', `ControlPath=${join(scratch, 'ssh-%r')}`],
    ].map((word) => (/^[A-Z]\w+=/.test(word) ? `-o${word}` : word));
  const sh = (user: string, script: string): Promise<RunResult> =>
    run('ssh', [...sshArgs(user), '127.0.0.1', script], { signal: over.signal });
  const ok = async (user: string, script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await sh(user, script);
    if (exitCode !== 0) throw new Error(`${script}: exit code ${exitCode}\n${stderr}\n${stdout}`);
    return stdout;
  };

  async function booted(before = ''): Promise<string> {
    for (;;) {
      await sshAnswers(port, over.signal);
      // Settles when all services that belong to the boot have started, those of lingering users included.
      const { exitCode, stdout } = await sh('root', `cat ${bootId}; systemctl is-system-running --wait >&2`);
      const [id = ''] = stdout.split('\n');
      if (exitCode !== 255 && id !== '' && id !== before) return id;
      await delay(1_000, undefined, { signal: over.signal });
    }
  }

  /** Notices when the guest is stuck, since ssh does: what waits for a command or for its API would wait in vain. */
  function watch(): () => void {
    // A connection of its own: of an option that is given twice, ssh takes the first.
    const login = ['-o', 'ControlPath=none', '-N', ...sshArgs('root'), '127.0.0.1'];
    const child = companion('ssh', login, 'ignore');
    const left = (): void => void lose('the guest answers no longer');
    child.once('exit', left);
    return () => {
      child.off('exit', left);
      child.kill();
    };
  }
  let boot = await booted();
  let unwatch = watch();

  return {
    lost: over.signal,
    sh,
    ok,
    forward: async (user, guestPort) => {
      const own = await freePort();
      const tunnel = `127.0.0.1:${own}:127.0.0.1:${guestPort}`;
      await ok(user, 'true'); // there is a login to carry it
      await run('ssh', [...sshArgs(user), '-O', 'forward', '-L', tunnel, '127.0.0.1']);
      return own;
    },
    reboot: async () => {
      unwatch();
      await sh('root', 'systemctl reboot');
      boot = await booted(boot);
      unwatch = watch();
    },
    stop: async () => {
      unwatch();
      qemu.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts a program that ends with this process, however that ends. */
function companion(command: string, args: string[], stdio: StdioOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig=KILL', '--', command, ...args], { stdio });
}

const bootId = '/proc/sys/kernel/random/boot_id';

function qemuArgs(
  { kernel, initrd, disk }: GuestImage,
  payload: string,
  scratch: string,
  ssh: number,
): string[] {
  const drive = (file: string): string[] => ['-drive', `file=${file},if=virtio,format=raw,snapshot=on`];
  return [
    // One processor: of two, QEMU 7.2 may keep what it translated while the other changed it. Linux changes its own code,
    // as for the first cgroup with a limit of CPU, and both then run into a breakpoint that is there no longer, for ever.
    ...['-nodefaults', '-nographic', '-machine', 'q35', '-smp', '1', '-m', '4G'],
    // Without AVX and AES, which programs would choose for their speed and QEMU emulates slowly.
    ...['-accel', 'tcg,tb-size=1024', '-cpu', 'qemu64'],
    ...['-kernel', kernel, '-initrd', initrd],
    ...['-append', 'console=ttyS0 rw quiet mitigations=off nokaslr tsc=reliable'],
    ...drive(disk),
    ...drive(payload),
    ...['-netdev', `user,id=net,restrict=on,net=10.9.0.0/24,hostfwd=tcp:127.0.0.1:${ssh}-10.9.0.15:22`],
    ...['-device', 'virtio-net-pci,netdev=net,romfile=', '-device', 'virtio-rng-pci'],
    ...['-serial', `file:${join(scratch, 'console.log')}`],
  ];
}

/** Returns when an ssh server answers; QEMU takes the connection long before there is one. */
async function sshAnswers(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const answered = await Promise.race([
      once(socket, 'data').then(
        () => true,
        () => false,
      ),
      once(socket, 'close').then(
        () => false,
        () => false,
      ),
    ]);
    socket.destroy();
    if (answered) return;
    await delay(500, undefined, { signal });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
