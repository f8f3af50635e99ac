import type { PodUsage } from '../../instance/pod-usage.js';
import { renderTable } from '../../ui/table.js';

/** What pods use, for a person to read. */
export function podTable(pods: readonly PodUsage[]): string {
  const rows = pods.map(({ namespace, name, cpu, memory }) => [
    namespace,
    name,
    `${cpu}m`,
    `${Math.round(memory / 2 ** 20)}Mi`,
  ]);
  return renderTable(['NAMESPACE', 'POD', 'CPU', 'MEMORY'], rows);
}
