import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { U7sError } from '../lib/errors.js';
import { u7s, type Fix } from '../lib/fixes.js';
import { logPath } from '../supervisor/log-file.js';
import { isLate } from '../supervisor/probe.js';
import type { ServiceDefinition, ServiceStatus } from '../supervisor/definition.js';

/** A service that dies this often before it was ever ready will not get better by itself. */
const hopelessRestarts = 5;

export function isHopeless({ phase, readyAt, restarts, lastExit }: ServiceStatus): boolean {
  if (phase === 'failed') return true;
  return readyAt === undefined && (restarts >= hopelessRestarts || isLate(lastExit));
}

/** Where the fault of a service lies: in itself, or in what it depends on and what never became ready. */
export function culprit(
  name: string,
  definitions: readonly Pick<ServiceDefinition, 'name' | 'dependsOn'>[],
  statuses: ReadonlyMap<string, ServiceStatus>,
): string {
  const definition = definitions.find((each) => each.name === name);
  const unready = Object.keys(definition?.dependsOn ?? {}).find((other) => !isUp(statuses.get(other)));
  return unready === undefined ? name : culprit(unready, definitions, statuses);
}

/** Why the cluster does not start, when one of its services has turned out to be hopeless. */
export async function startFault(
  service: string,
  definitions: readonly Pick<ServiceDefinition, 'name' | 'dependsOn'>[],
  statuses: ReadonlyMap<string, ServiceStatus>,
  logs: string,
): Promise<U7sError> {
  const name = culprit(service, definitions, statuses);
  const log = logPath(logs, name);
  const reasons = [statuses.get(name)?.lastExit, await lastWords(log)];
  const reason = reasons.filter((each) => each !== undefined).join(': ') || 'no reason known';
  return new U7sError('service-failed', `${name} does not start: ${reason}`, {
    fixes: [remedy(reason, name, log)],
  });
}

/** What helps a service that ends for `reason`; where nothing better is known, its log. */
export function remedy(reason: string, service: string, log: string): Fix {
  const [setting] =
    /\/\S+\/usernetes\/(containerd|crio\.conf|registries\.conf)\.d\/[^\s:"']+/.exec(reason) ?? [];
  if (setting !== undefined) return `correct ${setting}, or remove it`;
  if (/ENOSPC|no space left/i.test(reason)) return `free space on the disk of ${dirname(dirname(log))}`;
  return u7s(['logs', service], { text: 'read its log' });
}

/** What a stop still waits for: services, and after them the namespaces. */
export function stillRunning(statuses: Iterable<ServiceStatus>): string {
  const names = [...statuses].flatMap(({ name, pid }) => (pid === undefined ? [] : [name]));
  return names.length > 0 ? names.join(', ') : 'namespaces';
}

/** What is not ready, and why as far as that is known. */
export function unready(statuses: readonly ServiceStatus[]): string[] {
  return statuses
    .filter((status) => !isUp(status))
    .map(({ name, phase, lastExit }) => `${name} (${phase}${lastExit === undefined ? '' : `, ${lastExit}`})`);
}

export function allUp(
  definitions: readonly Pick<ServiceDefinition, 'name'>[],
  statuses: ReadonlyMap<string, ServiceStatus>,
): boolean {
  return definitions.every(({ name }) => isUp(statuses.get(name)));
}

function isUp(status: ServiceStatus | undefined): boolean {
  return status?.phase === 'ready' || status?.phase === 'completed';
}

const tailBytes = 64 * 1024;
const longestReason = 300;

/** From most to least telling: how Go programs, klog (`F1123 …`, `E1123 …`) and zap (JSON) write their last words. */
const tellingLines = [
  /^panic: |^fatal error: |"level":"(fatal|panic)"|^F\d{4} |"command failed" err=|^Error: /,
  /"level":"error"|^E\d{4} |level=(error|fatal)/,
  /\S/,
];

/** Why a service ended, in the words of its log; undefined when that says nothing. */
export async function lastWords(log: string): Promise<string | undefined> {
  const lines = (await tail(log).catch(() => '')).split('\n');
  for (const telling of tellingLines) {
    const line = lines.findLast((each) => telling.test(each));
    if (line !== undefined) return readable(line).slice(0, longestReason);
  }
  return undefined;
}

async function tail(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Without time and place, which the log has. */
function readable(line: string): string {
  const klog = /^[EFIW]\d{4} [^\]]*\] (.*)$/.exec(line)?.[1];
  if (klog !== undefined) return klog;
  try {
    const { msg, error } = JSON.parse(line) as { msg?: string; error?: string };
    return [msg, error].filter(Boolean).join(': ') || line;
  } catch {
    return line.trim();
  }
}
