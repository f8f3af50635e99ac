import { isFix, type Fix } from '../lib/fixes.js';
import { isObject, isString, listOf, messageOfType, type Shape } from '../lib/shape.js';
import type { NamespaceSetup } from '../rootless/child.js';
import type { ServiceDefinition, ServiceStatus } from '../supervisor/definition.js';
import { isServiceStatus } from './status.js';

/** From the launcher to the supervisor in the namespaces, one JSON a line on its stdin. */
export type SupervisorCommand =
  | { type: 'prepare'; setup: NamespaceSetup; logs: string }
  /** The host's search domains, at the start and whenever they change. */
  | { type: 'search'; domains: readonly string[] }
  | { type: 'start'; services: ServiceDefinition[] }
  | { type: 'restart'; name: string }
  | { type: 'stop' };

/** Back, on its stdout. */
export type SupervisorReport =
  | { type: 'prepared' }
  | { type: 'service'; status: ServiceStatus }
  | { type: 'error'; message: string; code: string; fixes: readonly Fix[] }
  | { type: 'stopped' };

/** Set-up and definitions are not looked into: both processes are of the same installation. */
const isPlanned = <T extends object>(value: unknown): value is T => isObject(value);

export const isSupervisorCommand: Shape<SupervisorCommand> = messageOfType<SupervisorCommand>({
  prepare: { setup: isPlanned<NamespaceSetup>, logs: isString },
  search: { domains: listOf(isString) },
  start: { services: listOf(isPlanned<ServiceDefinition>) },
  restart: { name: isString },
  stop: {},
});

export const isSupervisorReport: Shape<SupervisorReport> = messageOfType<SupervisorReport>({
  prepared: {},
  service: { status: isServiceStatus },
  error: { message: isString, code: isString, fixes: listOf(isFix) },
  stopped: {},
});
