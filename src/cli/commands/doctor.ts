import { Option } from 'commander';
import type { Check } from '../../host/preflight.js';
import type { Cli, DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { port } from '../options/values.js';

export const defineDoctor: DefineCommand = (program, cli) => {
  const command = program
    .command('doctor')
    .description('Check whether this host is ready for a node; exits 1 when something blocks')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .addOption(
      new Option('--api-port <port>', 'port of the host that the API is to have')
        .env('U7S_API_PORT')
        .default(6443)
        .argParser(port),
    )
    .action(async ({ output, apiPort }: { output?: 'json'; apiPort: number }) => {
      const [{ preflight }, { hostContext }] = await Promise.all([
        import('../../host/preflight.js'),
        import('../../instance/host-check.js'),
      ]);
      const api = (await isRunning()) ? undefined : { address: '127.0.0.1', port: apiPort };
      const checks = await preflight(await hostContext(cli, { api, dockerSocket: undefined }));
      if (checks.some(({ status }) => status === 'blocked')) cli.exitCode = 1;
      cli.io.stdout.write(
        output === 'json' ? `${JSON.stringify(checks, null, 2)}\n` : await renderChecks(checks, cli),
      );
    });
  addExamples(command, [
    ['u7s doctor', 'what was found, and how to mend what is wrong'],
    ['u7s doctor -o json', 'for programs'],
  ]);

  /** Whether the cluster runs: then it is what listens on the API's port. */
  async function isRunning(): Promise<boolean> {
    // Without a runtime directory nothing runs; the check of that directory says what is wrong with it.
    const paths = await selectedPaths(cli, command).catch(() => undefined);
    if (paths === undefined) return false;
    const { instanceStatus } = await import('../../launcher/client.js');
    return (await instanceStatus(paths.controlSocket, cli.signal)) !== undefined;
  }
};

const symbols = { ok: '✓', warning: '!', blocked: '✗', unknown: '?' };

async function renderChecks(checks: Check[], cli: Cli): Promise<string> {
  const { renderTable } = await import('../../ui/table.js');
  const terminal = cli.io.stdout.isTTY === true;
  const table = renderTable(
    ['status', 'check', 'found'],
    checks.map(({ status, title, found }) => [terminal ? symbols[status] : status, title, found]),
  );
  const advice = checks
    .filter(({ fix }) => fix !== undefined)
    .map(({ title, why, fix }) => `${title}: ${why}\n  fix: ${fix}\n`);
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const verdict =
    count('blocked') > 0 ? `not ready for a node; blocked: ${count('blocked')}` : 'ready for a node';
  const warnings = count('warning') > 0 ? `; warnings: ${count('warning')}` : '';
  return [table, ...advice, `${verdict}${warnings}\n`].join('\n');
}
