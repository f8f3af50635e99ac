/**
 * Entry of the process that RootlessKit starts inside the namespaces. Its commands come on stdin and its reports go to
 * stdout, one JSON a line; when stdin ends, the launcher is gone and everything is stopped.
 */
import {
  isSupervisorCommand,
  type SupervisorCommand,
  type SupervisorReport,
} from '../launcher/supervisor-protocol.js';
import { codeOf, fixesOf, messageOf } from '../lib/errors.js';
import { setUpNamespaces } from '../rootless/child.js';
import { writeNodeResolver } from '../rootless/dns/node-resolver.js';
import { messageWriter, readMessages } from '../supervisor/ndjson.js';
import { createSupervisor, type Supervisor } from '../supervisor/supervisor.js';

const report = messageWriter<SupervisorReport>(process.stdout);
// Ctrl-C and TERM come to the launcher, which asks us in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

let supervisor: Supervisor | undefined;
let logs = '';
let dnsAddress = '';
for await (const command of readMessages(process.stdin, isSupervisorCommand, ignored)) {
  if (command.type === 'stop') break;
  await obey(command).catch(tell);
}
await supervisor?.stop('asked to stop');
report({ type: 'stopped' });
// The report must be out before the process is.
process.stdout.write('', () => process.exit(0));

/** To RootlessKit's log, which our stderr is. */
function ignored(line: string): void {
  process.stderr.write(`ignored, since it is no command: ${line.slice(0, 200)}\n`);
}

function tell(error: unknown): void {
  report({
    type: 'error',
    message: messageOf(error),
    code: codeOf(error) ?? 'supervisor-failed',
    fixes: fixesOf(error),
  });
}

async function obey(command: Exclude<SupervisorCommand, { type: 'stop' }>): Promise<void> {
  switch (command.type) {
    case 'prepare':
      ({ logs } = command);
      dnsAddress = command.setup.dns.address;
      await setUpNamespaces(command.setup);
      return report({ type: 'prepared' });
    case 'search':
      return writeNodeResolver({ servers: [dnsAddress], search: [...command.domains] });
    case 'start':
      supervisor = createSupervisor(command.services, {
        logs,
        emit: (event) => {
          if (event.type === 'service') report(event);
        },
      });
      return supervisor.start();
    case 'restart':
      // Not waited for: a stop must not have to wait for a service's grace.
      supervisor?.restart(command.name).catch(tell);
  }
}
