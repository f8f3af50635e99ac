import { Option } from 'commander';
import type { Finding, PairReport, Trial } from '../../instance/network-report.js';
import { U7sError } from '../../lib/errors.js';
import type { DefineCommand } from '../command.js';
import { openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineCheck: DefineCommand = (program, cli) => {
  const check = program.command('check').description('Try out what a running cluster should do');
  const network = check
    .command('network')
    .description('let a pod of each node reach one of each other in every way; exits 1 when one fails')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }) => {
      const paths = await selectedPaths(cli, network);
      const [{ adminClient }, { checkNetwork }, { readFacts }, { isSound }, { clusterArtifacts }, images] =
        await Promise.all([
          import('../../instance/admin-client.js'),
          import('../../instance/check-network.js'),
          import('../../membership/facts.js'),
          import('../../instance/network-report.js'),
          import('../../instance/artifacts.js'),
          import('../../images/bundled.js'),
        ]);
      const client = await adminClient(cli, paths);
      const artifacts = await clusterArtifacts(cli, undefined, ['kubernetes', 'netcheck']);
      const kubectl = artifacts.get('kubernetes')?.binaries.kubectl;
      const version = artifacts.get('netcheck')?.version;
      if (kubectl === undefined || version === undefined)
        throw new U7sError('todo', 'kubectl or netcheck is missing');
      const { report, close } = await openReporter(cli, network);
      try {
        const { dnsDomain, flannelPort } = await readFacts(client, cli.signal);
        const pairs = await checkNetwork({
          client,
          kubectl,
          kubeconfig: paths.adminKubeconfig,
          image: images.netcheckReference(version),
          dnsDomain,
          flannelPort,
          report,
          signal: cli.signal,
        });
        cli.io.stdout.write(output === 'json' ? `${JSON.stringify(pairs, null, 2)}\n` : await table(pairs));
        if (!pairs.every(isSound)) cli.exitCode = 1;
      } finally {
        client.close();
        close();
      }
    });
  addExamples(check, [
    ['u7s check network', 'every pair of nodes, as a table'],
    ['u7s check network -o json', 'for programs, with the error of each try'],
  ]);
};

async function table(pairs: readonly PairReport[]): Promise<string> {
  const { renderTable } = await import('../../ui/table.js');
  const cell = (finding: Finding): string => (finding.ok ? 'ok' : 'FAILED');
  const plain: Trial[] = ['pod', 'clusterIP', 'nodePort', 'dns'];
  const rows = pairs.map((pair) => [
    pair.from,
    pair.to,
    ...plain.map((trial) => cell(pair[trial])),
    pair.transfer.ok ? `${pair.transfer.mtu ?? ''}` : 'FAILED',
    pair.throughput.ok ? `${((pair.throughput.bitsPerSecond ?? 0) / 1e6).toFixed(0)} Mbit/s` : 'FAILED',
  ]);
  const causes = new Set(
    pairs.flatMap(({ from, to, cause }) => (cause === undefined ? [] : [`${from} → ${to}: ${cause}\n`])),
  );
  return (
    renderTable(['from', 'to', 'pod', 'clusterip', 'nodeport', 'dns', 'mtu', 'throughput'], rows) +
    (causes.size > 0 ? `\n${[...causes].join('')}` : '')
  );
}
