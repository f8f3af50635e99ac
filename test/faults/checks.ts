import { setTimeout as delay } from 'node:timers/promises';
import { isWhole, type StatusReport } from '#src/instance/status.js';
import { messageOf } from '#src/lib/errors.js';
import type { Running } from '../ordinary-user.js';
import type { Fault } from './fault.js';
import { leftovers } from './leftovers.js';
import { limitMs, type NodeProcess, type Subject } from './subject.js';
import { until } from './until.js';

type Effect = (Fault & { strikes: 'running' })['effect'];

/** Waits for a status in which everything runs and that `fits`. */
export async function whole(
  subject: Subject,
  fits: (status: StatusReport) => boolean = () => true,
): Promise<StatusReport> {
  let latest: StatusReport | undefined;
  try {
    return await until(
      'the cluster is whole',
      async () => {
        latest = await subject.status();
        return latest !== undefined && fits(latest) && isWhole(latest) && latest;
      },
      limitMs + 10_000,
    );
  } catch (error) {
    throw new Error(`${messageOf(error)}: ${summaryOf(latest)}`, { cause: error });
  }
}

function summaryOf(status: StatusReport | undefined): string {
  if (status === undefined) return 'there is no status';
  const services = status.services.map(
    ({ name, phase, restarts, lastExit = '-' }) => `${name} ${phase} ${restarts} ${lastExit}`,
  );
  return [
    status.phase,
    `node ${status.node?.problem ?? 'Ready'}`,
    `rebuilds ${status.rebuilds}`,
    ...services,
  ].join(', ');
}

/** Whether the cluster has met the fault, lest what was before it be taken for the healing. */
export function hasHappened(effect: Effect, before: StatusReport, now: StatusReport): boolean {
  if (effect === 'rebuilt' || effect === 'lost') return now.rebuilds > before.rebuilds;
  if (typeof effect !== 'object' || !('replaced' in effect)) return true;
  return effect.replaced.every((name) => {
    const { restarts = 0, lastExit } = now.services.find((service) => service.name === name) ?? {};
    return restarts > restartsOf(before, name) && lastExit !== undefined;
  });
}

/** What has been started again without need. */
export function startedInVain(effect: Effect, before: StatusReport, after: StatusReport): string[] {
  if (effect === 'ended') return [];
  const launcher = after.launcherPid === before.launcherPid ? [] : ['the launcher is another one'];
  if (effect === 'rebuilt' || effect === 'lost') return launcher;
  const rebuilds = after.rebuilds === before.rebuilds ? [] : ['the whole node was built again'];
  if (typeof effect === 'object' && 'degraded' in effect) return [...launcher, ...rebuilds];
  const replaced = typeof effect === 'object' ? effect.replaced : [];
  const others = before.services.filter(
    ({ name, pid }) =>
      !replaced.includes(name) && after.services.find((each) => each.name === name)?.pid !== pid,
  );
  return [...launcher, ...rebuilds, ...others.map(({ name }) => `${name} was started again`)];
}

/** Whether the fault lasts until it is mended, and has to be told until then. */
export function isShown(effect: Effect): effect is 'lost' | { degraded: string } {
  return effect === 'lost' || (typeof effect === 'object' && 'degraded' in effect);
}

/** Waits until the service could not be started again, or the node not be built again, and looks what `u7s status` tells. */
export async function shown(
  subject: Subject,
  before: StatusReport,
  effect: 'lost' | { degraded: string },
): Promise<string[]> {
  const name = effect === 'lost' ? 'the node' : effect.degraded;
  await until(`${name} is down`, async () => {
    const now = await subject.status();
    if (now === undefined) return false;
    if (effect === 'lost') return now.rebuilds >= before.rebuilds + 2;
    const { phase } = now.services.find((each) => each.name === name) ?? {};
    return phase !== 'ready' && restartsOf(now, name) > restartsOf(before, name);
  });
  const { exitCode, stdout } = await subject.u7s(['status']).ended;
  const reason =
    effect === 'lost' ? /rebuilt .*because \S/ : RegExp(`^ *${name} .* (exit code|signal|not |cannot )`, 'm');
  return [
    ...(exitCode === 1 ? [] : [`status of a cluster that is not whole exits with ${exitCode}`]),
    ...(reason.test(stdout) ? [] : [`status does not tell why: ${stdout}`]),
  ];
}

/** Which of the processes still run. */
export async function survivors(subject: Subject, old: readonly NodeProcess[]): Promise<string[]> {
  const present = await subject.processes();
  const same = old.filter(({ pid, startTime }) =>
    present.some((each) => each.pid === pid && each.startTime === startTime),
  );
  return same.map(({ pid, title }) => `${title} (${pid}) of before still runs`);
}

export async function succeeded({ ended }: Running): Promise<void> {
  const { exitCode, stderr } = await ended;
  if (exitCode !== 0) throw new Error(`the command exited with ${exitCode}: ${stderr}`);
}

/** What is still there of a cluster that is to be gone, after the moment that its processes may take to end. */
export async function remains(subject: Subject, look = leftovers): Promise<string[]> {
  const end = performance.now() + 10_000;
  for (;;) {
    const found = await look(subject);
    if (found.length === 0 || performance.now() > end) return found;
    await delay(100);
  }
}

/** Stops the cluster; what is left then is told, and ended so that the next fault finds an empty stage. */
export async function stopped(subject: Subject): Promise<string[]> {
  const { exitCode, stderr } = await subject.u7s(['down']).ended;
  const fault = exitCode === 0 ? [] : [`down exited with ${exitCode}: ${stderr}`];
  const found = await remains(subject);
  for (const { pid } of await subject.processes()) kill(pid);
  return [...fault, ...found.map((each) => `left after down: ${each}`)];
}

/** Without complaint when it has gone with another. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH
  }
}

function restartsOf({ services }: StatusReport, name: string): number {
  return services.find((service) => service.name === name)?.restarts ?? 0;
}
