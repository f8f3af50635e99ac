import type { Finding, PairReport, Trial } from '../../instance/network-report.js';
import type { Fix } from '../../lib/fixes.js';
import { visible } from '../../lib/visible.js';
import { renderTable } from '../../ui/table.js';

/** How each pair of nodes stands, and below it what is most likely wrong. */
export function networkTable(pairs: readonly PairReport[], textOf: (fix: Fix) => string): string {
  const cell = (finding: Finding): string => (finding.ok ? 'ok' : 'FAILED');
  const plain: Trial[] = ['pod', 'clusterIP', 'nodePort', 'dns'];
  const rows = pairs.map((pair) => [
    pair.from,
    pair.to,
    ...plain.map((trial) => cell(pair[trial])),
    pair.transfer.ok ? `${pair.transfer.mtu ?? ''}` : 'FAILED',
    pair.throughput.ok ? `${((pair.throughput.bitsPerSecond ?? 0) / 1e6).toFixed(0)} Mbit/s` : 'FAILED',
  ]);
  const causes = new Set(pairs.flatMap((pair) => causeText(pair, textOf)));
  return (
    renderTable(['from', 'to', 'pod', 'clusterip', 'nodeport', 'dns', 'mtu', 'throughput'], rows) +
    (causes.size > 0 ? `\n${[...causes].join('')}` : '')
  );
}

function causeText(
  { from, to, cause, fixes = [] }: PairReport,
  textOf: (fix: Fix) => string,
): string | readonly string[] {
  if (cause === undefined) return [];
  return visible(`${from} → ${to}: ${cause}\n${fixes.map((fix) => `  fix: ${textOf(fix)}\n`).join('')}`);
}
