import { spawn, type ChildProcess } from 'node:child_process';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { Event, Report } from '../lib/events.js';
import { logPath, openLog } from '../supervisor/log-file.js';
import { isLauncherMessage, type FrontMessage } from './front-protocol.js';

/** The launcher as the command that started it sees it. */
export type LauncherHandle = {
  send(message: FrontMessage): void;
  /** Settles with the cluster; rejects when it fails before. */
  ready: Promise<void>;
  /** Settles when the launcher is gone, with how it ended unless that was in order. */
  ended: Promise<string | undefined>;
  /** Lets it live on without us. */
  detach(): void;
};

export type LauncherProcessOptions = {
  /** A command that becomes the one it is given, in a cgroup where pods can have limits; may be none. */
  enter: readonly string[];
  /** The launcher's entry, dist/entries/launch.js. */
  script: string;
  logs: string;
  cwd: string;
  env: Record<string, string>;
  report: Report;
};

/** It lives long and has little to do: V8 is to collect garbage early instead of growing, glibc to keep one heap. */
const smallHeap = { flags: ['--max-semi-space-size=1', '--gc-global'], env: { MALLOC_ARENA_MAX: '1' } };

const notUnderstood: Event = { kind: 'note', text: 'the launcher sent a message that is not understood' };

/** Starts the launcher in a session of its own, so that Ctrl-C reaches it only through us. */
export async function startLauncherProcess(options: LauncherProcessOptions): Promise<LauncherHandle> {
  const log = await openLog(logPath(options.logs, 'launcher'));
  const [command = '', ...args] = [...options.enter, process.execPath, ...smallHeap.flags, options.script];
  try {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env, ...smallHeap.env },
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    return handleOf(child, options.report);
  } finally {
    await log.close();
  }
}

/** At once, without waiting for anything: a process that ends as soon as it starts must be heard. */
function handleOf(child: ChildProcess, report: Report): LauncherHandle {
  let settleReady: { resolve: () => void; reject: (error: Error) => void };
  const ready = new Promise<void>((resolve, reject) => {
    settleReady = { resolve, reject };
  });
  ready.catch(() => undefined); // whoever waits for it hears of it
  child.on('message', (message: unknown) => {
    if (!isLauncherMessage(message)) return report(notUnderstood);
    switch (message.type) {
      case 'event':
        return report(message.event);
      case 'ready':
        return settleReady.resolve();
      case 'failed':
        return settleReady.reject(new U7sError(message.code, message.message, { fixes: message.fixes }));
    }
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      settleReady.reject(
        new U7sError('launcher-ended', `the launcher ended before the cluster was up (${how})`, {
          fixes: [u7s(['logs', 'launcher'], { text: 'read its log' })],
        }),
      );
      resolve(code === 0 ? undefined : how);
    });
  });
  const send = (message: FrontMessage): void => {
    if (child.connected) child.send(message);
  };
  return {
    send,
    ready,
    ended,
    detach: () => {
      send({ type: 'detach' });
      child.disconnect();
      child.unref();
    },
  };
}
