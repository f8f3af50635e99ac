import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';
import type {
  Probe,
  ServiceDefinition,
  ServicePhase,
  ServiceStatus,
  SupervisorEvent,
} from '#src/supervisor/definition.js';
import { createSupervisor, type Supervisor, type SupervisorOptions } from '#src/supervisor/supervisor.js';
import { temporary } from '../temporary.js';

export const fixture = (name: string): string => resolve('test/fixtures/supervisor', name);

export async function temporaryDir(t: ExecutionContext): Promise<string> {
  const dir = await temporary(t);
  return dir;
}

const common = {
  env: { PATH: '/usr/bin:/bin' },
  dependsOn: {},
  files: [],
  stop: { signal: 'SIGTERM', graceMs: 10_000 },
} satisfies Partial<ServiceDefinition>;

/** A daemon that sleeps, unless told otherwise. */
export function daemon(name: string, overrides: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    ...common,
    name,
    kind: 'daemon',
    command: '/bin/sleep',
    args: ['1000'],
    restart: { when: 'always', backoff: { initialMs: 10, maxMs: 100 } },
    ...overrides,
  };
}

/** A shell script that runs once. */
export function task(
  name: string,
  script: string,
  overrides: Partial<ServiceDefinition> = {},
): ServiceDefinition {
  return {
    ...common,
    name,
    kind: 'task',
    command: '/bin/sh',
    args: ['-c', script],
    restart: { when: 'never', backoff: { initialMs: 10, maxMs: 100 } },
    ...overrides,
  };
}

export const shell = (script: string): Pick<ServiceDefinition, 'command' | 'args'> => ({
  command: '/bin/sh',
  args: ['-c', script],
});

export const readyWhenFile = (path: string, startupMs = 30_000): { ready: Probe } => ({
  ready: { type: 'file', path, periodMs: 20, timeoutMs: 1_000, startupMs },
});

export type Watched = Supervisor & {
  dir: string;
  events: SupervisorEvent[];
  /** All phases that a service has entered so far. */
  phases(name: string): ServicePhase[];
  statusOf(name: string): ServiceStatus;
  /** The first event, past or future, of a service that fits. */
  until(name: string, fits: ServicePhase | ((status: ServiceStatus) => boolean)): Promise<ServiceStatus>;
};

/** A supervisor over `define(dir)`, stopped when the test ends. */
export async function supervise(
  t: ExecutionContext,
  define: (dir: string) => ServiceDefinition[],
  options: Partial<SupervisorOptions> = {},
): Promise<Watched> {
  const dir = await temporaryDir(t);
  const events: SupervisorEvent[] = [];
  const listeners = new Set<() => void>();
  const supervisor = createSupervisor(define(dir), {
    logs: join(dir, 'logs'),
    emit: (event) => {
      events.push(event);
      for (const listener of listeners) listener();
    },
    ...options,
  });
  t.teardown(() => supervisor.stop('the test ends'));
  const history = (name: string): ServiceStatus[] =>
    events.flatMap((event) => (event.type === 'service' && event.status.name === name ? [event.status] : []));
  return {
    ...supervisor,
    dir,
    events,
    phases: (name) =>
      history(name)
        .map(({ phase }) => phase)
        .filter((phase, index, all) => phase !== all[index - 1]),
    statusOf: (name) => {
      const status = supervisor.status().find((status) => status.name === name);
      if (!status) throw new Error(`no ${name}`);
      return status;
    },
    until: (name, wanted) => {
      const fits = typeof wanted === 'string' ? ({ phase }: ServiceStatus) => phase === wanted : wanted;
      return new Promise((resolve) => {
        const look = (): void => {
          const found = history(name).find(fits);
          if (!found) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      });
    },
  };
}

export async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').filter(Boolean);
}

/** Whether a process runs; one that is dead but not yet reaped does not. */
export async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}
