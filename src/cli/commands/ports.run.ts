import type { Command } from 'commander';
import { instancePorts, type InstancePorts } from '../../launcher/client.js';
import { U7sError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { visible } from '../../lib/visible.js';
import { formatOwner, portRow, type Port, type PortRow } from '../../rootless/port.js';
import { removal } from '../../rootless/port-refusal.js';
import { formatParent, formatPortSpec, parsePortSpec } from '../../rootless/port-spec.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { selectedPaths } from '../globals.js';
import { parsePortId } from '../ports/access.js';
import { portCells, portColumns } from '../ports/output.js';
import { fixText } from '../typist.js';

export type ListFlags = { output: 'table' | 'json'; why?: true };

export async function list(cli: Cli, command: Command, { output, why }: ListFlags): Promise<void> {
  const rows = (await (await portsOf(cli, command)).list(cli.signal)).map(portRow);
  const text = why ? visible(explanation(cli, rows)) : table(rows);
  cli.io.stdout.write(output === 'json' ? `${JSON.stringify(rows, null, 2)}\n` : text);
}

export async function add(cli: Cli, command: Command, words: readonly string[]): Promise<void> {
  const specs = words.map(parsePortSpec);
  const ports = await portsOf(cli, command);
  for (const spec of specs) cli.io.stdout.write(`${(await ports.add(spec, cli.signal)).id}\n`);
}

/** Only what was added by hand: other ports would come back, or be missed. */
export async function remove(cli: Cli, command: Command, words: readonly string[]): Promise<void> {
  const ports = await portsOf(cli, command);
  const all = await ports.list(cli.signal);
  for (const { id, spec } of words.map((word) => manualPort(all, word))) {
    await (id === undefined ? ports.forget(spec, cli.signal) : ports.remove(id, cli.signal));
  }
}

async function portsOf(cli: Cli, command: Command): Promise<InstancePorts> {
  return instancePorts((await selectedPaths(cli, command)).controlSocket);
}

function manualPort(all: readonly Port[], word: string): Port {
  const spec = word.includes('/') ? formatPortSpec(parsePortSpec(word)) : undefined;
  const id = spec === undefined ? parsePortId(word) : undefined;
  const port = all.find((each) => (spec === undefined ? each.id === id : formatPortSpec(each.spec) === spec));
  if (port === undefined) {
    throw new U7sError('no-such-port', `no port ${word} is published`, {
      fixes: [u7s(['ports'], { text: 'list them' })],
    });
  }
  const others = port.owners.filter(({ kind }) => kind !== 'manual');
  if (others.length === 0) return port;
  const message = `port ${word} was not published by hand, but for ${others.map(formatOwner).join(', ')}`;
  throw new U7sError('port-not-manual', message, { fixes: port.id === undefined ? [] : [removal(port.id)] });
}

function table(rows: readonly PortRow[]): string {
  return renderTable(
    [...portColumns, 'OWNER'],
    rows.map(({ id, spec, owner }) => [...portCells(id, spec), owner].map((cell) => cell || '-')),
  );
}

function explanation(cli: Cli, rows: readonly PortRow[]): string {
  const remarkable = rows.filter(({ id, note }) => id === undefined || note !== undefined);
  if (remarkable.length === 0) return 'every port that was asked for is published\n';
  return remarkable
    .map(({ id, spec, owner, problem, note }) => {
      if (id !== undefined) return `${formatParent(spec)} for ${owner} is published ${note}\n`;
      const reason = problem?.reason ?? 'it was removed by hand';
      const fix = (problem?.fixes ?? []).map((each) => `  fix: ${fixText(cli, each)}\n`).join('');
      return `${formatParent(spec)} for ${owner} is not published: ${reason}\n${fix}`;
    })
    .join('');
}
