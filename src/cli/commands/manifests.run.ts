import type { Command } from 'commander';
import { listManifests } from '../../instance/manifests.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { exitDegraded } from '../exit-codes.js';
import { withInstance } from '../instance.js';

export async function run(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  const { stdout, stderr } = cli.io;
  const found = await withInstance(cli, command, listManifests, { progress: 'plain' });
  const { files, folders } = found;
  if (files.some(({ faults }) => faults.length > 0)) cli.exitCode = exitDegraded;
  if (output === 'json') {
    stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  } else if (files.length === 0) {
    stderr.write(`there is no file in ${folders.join(' or ')}\n`);
  } else {
    const rows = files.flatMap(({ file, objects, faults }) => [
      ...(faults.length === 0 ? [[file, String(objects), 'applied']] : []),
      ...faults.map(({ line, message }) => [
        `${file}${line === undefined ? '' : `:${line}`}`,
        String(objects),
        message,
      ]),
    ]);
    stdout.write(renderTable(['file', 'objects', 'state'], rows));
  }
}
