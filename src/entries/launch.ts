/** Entry of the launcher process; `up` starts it and speaks to it by IPC. */
import { writeSync } from 'node:fs';
import { createLauncher } from '../launcher/launcher.js';
import { isFrontMessage, type LauncherMessage } from '../launcher/front-protocol.js';

let sent = Promise.resolve();
const launcher = createLauncher((message: LauncherMessage) => {
  const line = logLine(message);
  if (line !== undefined) log(line);
  // The command may be gone already: then nobody listens any more, which is no fault.
  if (!process.connected) return;
  sent = new Promise((resolve) => void process.send?.(message, () => resolve()));
});
process.on('message', (message) => {
  if (isFrontMessage(message)) launcher.receive(message);
  else log('ignored a message of the command that started this launcher: it is not understood');
});
process.on('disconnect', () => launcher.frontGone());
process.on('SIGHUP', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => launcher.stop());
await launcher.finished;
await sent;
process.exit(0);

/** A full disk must not end the cluster, as an error that nobody hears on process.stderr would. */
function log(line: string): void {
  try {
    writeSync(2, `${new Date().toISOString()} ${line}\n`);
  } catch {
    // The line is lost.
  }
}

/** What the launcher's own log keeps of it. */
function logLine(message: LauncherMessage): string | undefined {
  switch (message.type) {
    case 'ready':
      return 'the cluster is up';
    case 'failed':
      return `error: ${message.message}`;
    case 'event': {
      const { event } = message;
      if (event.kind !== 'step') return event.kind === 'note' ? event.text : `warning: ${event.text}`;
      return `${event.title}: ${event.state}${event.detail === undefined ? '' : ` (${event.detail})`}`;
    }
  }
}
