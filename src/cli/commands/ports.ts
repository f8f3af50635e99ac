import { Option, type Command } from 'commander';
import { U7sError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { removal } from '../../rootless/port-refusal.js';
import { fixText } from '../typist.js';
import type { Cli, DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import type { PortRow } from '../ports/rows.js';

type ListFlags = { output: 'table' | 'json'; why?: true };

export const definePorts: DefineCommand = (program, cli) => {
  const command = program
    .command('ports')
    .description('List the ports of the host that lead into the cluster, and who asked for each')
    .addOption(
      new Option('-o, --output <format>', 'json, or a table').choices(['table', 'json']).default('table'),
    )
    .option('--why', 'tell why a port is not published, and what to do')
    .action(async (flags: ListFlags) => {
      const rows = await rowsOf(cli, command);
      if (flags.output === 'json') cli.io.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
      else cli.io.stdout.write(await (flags.why ? explanation(cli, rows) : table(rows)));
    });
  const add = command
    .command('add')
    .description('publish ports, now and at every start, and print their IDs')
    .argument('<specs...>', 'HOST_ADDRESS:HOST_PORT:[ADDRESS:]PORT/PROTOCOL')
    .action(async (words: string[]) => {
      const [{ parsePortSpec }, { addPorts }] = await Promise.all([
        import('../../rootless/port-spec.js'),
        import('../ports/actions.js'),
      ]);
      const specs = words.map(parsePortSpec);
      const { apiSocket } = await selectedPaths(cli, add);
      for await (const { id } of addPorts(apiSocket, specs, cli.signal)) cli.io.stdout.write(`${id}\n`);
    });
  const remove = command
    .command('remove')
    .alias('rm')
    .description('end what was published by hand, now and for every start')
    .argument('<ports...>', 'IDs, or specs as in `ports add`')
    .action(async (words: string[]) => {
      await removeByHand(cli, remove, words);
    });
  addExamples(command, [
    ['u7s ports', 'see what is published'],
    ['u7s ports add 127.0.0.1:8080:80/tcp', 'lead port 8080 of the host to port 80 of the node'],
    ['u7s ports remove 3', 'end that'],
    ['u7s ports --why', 'why a port is missing'],
  ]);
};

async function rowsOf(cli: Cli, command: Command): Promise<PortRow[]> {
  const [{ apiSocket, controlSocket }, { instanceStatus, ownedPorts }, { createPortClient }, { portRows }] =
    await Promise.all([
      selectedPaths(cli, command),
      import('../../launcher/client.js'),
      import('../../rootless/api-client.js'),
      import('../ports/rows.js'),
    ]);
  const [status, owned = []] = await Promise.all([
    instanceStatus(controlSocket, cli.signal),
    ownedPorts(controlSocket, cli.signal),
  ]);
  if (status === undefined)
    throw new U7sError('not-running', 'the cluster is not running', {
      fixes: [u7s(['up'], { text: 'start it' })],
    });
  // dockerd publishes the ports of its containers by itself.
  return portRows(
    await createPortClient(apiSocket).list(cli.signal),
    owned,
    status.dockerSocket !== undefined ? 'docker' : 'manual',
  );
}

async function table(rows: readonly PortRow[]): Promise<string> {
  const [{ renderTable }, { portCells, portColumns }] = await Promise.all([
    import('../../ui/table.js'),
    import('../ports/output.js'),
  ]);
  return renderTable(
    [...portColumns, 'OWNER'],
    rows.map(({ id, spec, owner }) => [...portCells(id, spec), owner].map((cell) => cell || '-')),
  );
}

async function explanation(cli: Cli, rows: readonly PortRow[]): Promise<string> {
  const { formatParent } = await import('../../rootless/port-spec.js');
  const remarkable = rows.filter(({ id, note }) => id === undefined || note !== undefined);
  if (remarkable.length === 0) return 'every port that is asked for is published\n';
  return remarkable
    .map(({ id, spec, owner, problem, note }) => {
      if (id !== undefined) return `${formatParent(spec)} for ${owner} is published ${note}\n`;
      const reason = problem?.reason ?? 'it has been removed by hand';
      const fix = (problem?.fixes ?? []).map((each) => `  fix: ${fixText(cli, each)}\n`).join('');
      return `${formatParent(spec)} for ${owner} is not published: ${reason}\n${fix}`;
    })
    .join('');
}

/** Only what was added by hand: what else is published would come back, or be missed. */
async function removeByHand(cli: Cli, command: Command, words: readonly string[]): Promise<void> {
  const [{ forgetPort }, { formatPortSpec, parsePortSpec }, { parsePortId, removePorts }, paths, rows] =
    await Promise.all([
      import('../../launcher/client.js'),
      import('../../rootless/port-spec.js'),
      import('../ports/actions.js'),
      selectedPaths(cli, command),
      rowsOf(cli, command),
    ]);
  const chosen = words.map((word) => {
    const spec = word.includes('/') ? formatPortSpec(parsePortSpec(word)) : undefined;
    const id = spec === undefined ? parsePortId(word) : undefined;
    const row = rows.find((each) =>
      spec === undefined ? each.id === id : formatPortSpec(each.spec) === spec,
    );
    if (row === undefined)
      throw new U7sError('no-such-port', `no port ${word} is published`, {
        fixes: [u7s(['ports'], { text: 'list them' })],
      });
    if (row.owner === 'manual') return row;
    throw new U7sError('port-not-manual', `port ${word} was not published by hand, but for ${row.owner}`, {
      ...(row.id === undefined ? {} : { fixes: [removal(row.id)] }),
    });
  });
  for (const { id, spec } of chosen) {
    if (id === undefined) await forgetPort(paths.controlSocket, spec, cli.signal);
    else for await (const removed of removePorts(paths.apiSocket, [id], cli.signal)) void removed;
  }
}
