import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { ownVersion } from '../program.js';

export const defineVersion: DefineCommand = (program, cli) => {
  const command = program
    .command('version')
    .description('Print the versions of u7s, of Node.js and of the components it brings')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }) => {
      const { catalog } = await import('../../artifacts/catalog.js');
      const components = Object.fromEntries(
        Object.entries(catalog).map(([name, { version }]) => [name, version]),
      );
      const versions = { u7s: ownVersion(cli.projectRoot), node: process.versions.node };
      if (output === 'json') {
        cli.io.stdout.write(`${JSON.stringify({ ...versions, components }, undefined, 2)}\n`);
      } else {
        const { renderTable } = await import('../../ui/table.js');
        cli.io.stdout.write(
          renderTable(['component', 'version'], Object.entries({ ...versions, ...components })),
        );
      }
    });
  addExamples(command, [
    ['u7s version', 'a table'],
    ['u7s version -o json', 'for programs'],
  ]);
};
