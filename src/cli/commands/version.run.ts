import { catalog } from '../../artifacts/catalog.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { ownVersion } from '../own-version.js';

export function run(cli: Cli, output: 'json' | undefined): void {
  const components = Object.fromEntries(
    Object.entries(catalog).map(([name, { version }]) => [name, version]),
  );
  const versions = { u7s: ownVersion(cli.projectRoot), node: process.versions.node };
  cli.io.stdout.write(
    output === 'json'
      ? `${JSON.stringify({ ...versions, components }, undefined, 2)}\n`
      : renderTable(['component', 'version'], Object.entries({ ...versions, ...components })),
  );
}
