import type { NodeReport, ServiceReport, StatusReport } from '../../instance/status.js';
import { pressureFixes, pressureText } from '../../kube/pressure.js';
import type { Warning } from '../../lib/events.js';
import type { Fix } from '../../lib/fixes.js';
import { formatPortSpec } from '../../rootless/port-spec.js';
import { visibleLine } from '../../lib/visible.js';
import { renderTable } from '../../ui/table.js';
import { age } from '../../ui/age.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const units = [
  ['day', dayMs],
  ['hour', hourMs],
] as const;
/** A certificate that ends sooner is warned of. On a node that has joined they are renewed four weeks before their end. */
const warnDays = 21;

/** A cluster and its services for a person to read; `wide` adds what is seldom wanted. */
export function statusText(report: StatusReport, now: number, wide: boolean): string {
  const facts = [
    ['preset', report.preset],
    ['node', report.node === undefined ? '' : nodeText(report.node)],
    ['API', report.apiServer ?? ''],
    ['docker', report.dockerSocket === undefined ? '' : `unix://${report.dockerSocket}`],
    ['ports', report.ports.map(({ spec, owner }) => `${formatPortSpec(spec)} ${owner}`).join(', ')],
    ['proxy', report.proxy ?? ''],
    ['host ports for pods', (report.hostAccess ?? []).join(', ')],
    ['limits', report.cgroups === 'delegated' ? 'on' : 'off: no cgroup is delegated to the user'],
    ['network policies', policyText(report.networkPolicies)],
    ['certificates', report.apiServer === undefined ? '' : expiryText(report.certificates, now)],
    ...(report.lastRebuild === undefined ? [] : [['rebuilt', rebuildText(report)]]),
  ].filter(([, text]) => text !== '');
  const title = Math.max(...facts.map(([name = '']) => name.length));
  return [
    `cluster ${report.cluster}: ${report.phase}, up for ${age(now - report.startedAt)}`,
    ...facts.map(([name = '', text = '']) => `  ${name.padEnd(title)}   ${visibleLine(text)}`),
    '',
    serviceTable(report.services, now, wide) +
      (wide ? `\n${certificateTable(report.certificates, now)}` : ''),
  ].join('\n');
}

/** What a node is short of. */
export function pressureWarnings({ node }: Pick<StatusReport, 'node'>): Warning[] {
  return (node?.pressure ?? []).map((pressure) => ({
    kind: 'warning',
    text: `node ${node?.name} is under ${pressureText(pressure)}`,
    code: 'node-pressure',
    fixes: pressureFixes(pressure),
  }));
}

/** What should not wait to be noticed: they are renewed by themselves, long before. */
export function expiryWarnings(
  { certificates, role }: Pick<StatusReport, 'certificates' | 'role'>,
  now: number,
): Warning[] {
  const soon = byEnd(certificates).filter(([, end]) => Date.parse(end) - now < warnDays * dayMs);
  if (soon.length === 0) return [];
  const hasEnded = soon.some(([, end]) => Date.parse(end) <= now);
  const renew: Fix = { text: 'renew them', commands: [['restart']] };
  const joinAnew: Fix[] = [
    { text: 'let this node leave', commands: [['leave']] },
    { on: 'control-plane', text: 'and make a line with which it joins anew', commands: [['join-command']] },
  ];
  return [
    {
      kind: 'warning',
      text: `certificates end: ${soon.map(([name, end]) => `${name} ${endText(end, now)}`).join(', ')}`,
      code: 'certificates-expire',
      fixes: role === 'worker' && hasEnded ? joinAnew : [renew],
    },
  ];
}

function policyText(enforcement: StatusReport['networkPolicies']): string {
  switch (enforcement) {
    case 'impossible':
      return 'not enforced: the kernel cannot';
    case 'off':
      return 'not enforced: the cluster is to do without';
    default:
      return enforcement ?? '';
  }
}

function nodeText({ name, ready, version, problem, pressure = [] }: NodeReport): string {
  const state = ready ? ['Ready', ...pressure].join(', ') : `NotReady: ${problem ?? 'unknown'}`;
  return [name, version, state].filter(Boolean).join(' ');
}

function rebuildText({ rebuilds, lastRebuild }: StatusReport): string {
  return `${rebuilds === 1 ? 'once' : `${rebuilds} times`}, last because ${lastRebuild}`;
}

function expiryText(certificates: Record<string, string>, now: number): string {
  const [first] = byEnd(certificates);
  if (first === undefined) return 'none';
  const [name, end] = first;
  return `the first to end is ${name}, ${endText(end, now)} (${end.slice(0, 10)})`;
}

function serviceTable(services: ServiceReport[], now: number, wide: boolean): string {
  const headers = ['SERVICE', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'CPU', 'MEMORY', 'LAST EXIT'];
  const rows = services.map((service) => [
    service.name,
    service.phase,
    String(service.hostPid ?? '-'),
    service.startedAt === undefined ? '-' : age(now - service.startedAt),
    String(service.restarts),
    service.cpu === undefined ? '-' : `${service.cpu.toFixed(1)}%`,
    service.memory === undefined ? '-' : `${Math.round(service.memory / 2 ** 20)}Mi`,
    service.lastExit ?? '-',
    ...(wide ? [String(service.pid ?? '-'), age(now - service.since)] : []),
  ]);
  return renderTable(wide ? [...headers, 'PID IN NODE', 'SINCE'] : headers, rows);
}

function certificateTable(certificates: Record<string, string>, now: number): string {
  const rows = byEnd(certificates).map(([name, end]) => [name, end, leftText(end, now)]);
  return renderTable(['CERTIFICATE', 'ENDS', 'LEFT'], rows);
}

function byEnd(certificates: Record<string, string>): [string, string][] {
  return Object.entries(certificates).sort(([, a], [, b]) => Date.parse(a) - Date.parse(b));
}

function leftText(end: string, now: number): string {
  const left = Date.parse(end) - now;
  return left > 0 ? age(left) : `ended ${age(-left)} ago`;
}

/** `in 29 days`, `in 3 hours`, `ended 3 hours ago`. */
function endText(end: string, now: number): string {
  const left = Date.parse(end) - now;
  return left > 0 ? `in ${inWords(left)}` : `ended ${inWords(-left)} ago`;
}

function inWords(ms: number): string {
  const [unit, length] = units.find(([, length]) => ms >= 2 * length) ?? (['minute', minuteMs] as const);
  const count = Math.floor(ms / length);
  if (count === 0) return 'less than a minute';
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
