import type { StepEvent } from '../lib/events.js';
import type { ServiceStatus } from '../supervisor/definition.js';

/** The change of a service as the user sees it during bring-up; undefined for phases that say nothing new. */
export function serviceStep(status: ServiceStatus): StepEvent | undefined {
  const { name, phase, lastExit } = status;
  const event = { kind: 'step', id: `service/${name}`, title: name } as const;
  switch (phase) {
    case 'starting':
      return { ...event, state: 'started' };
    case 'ready':
    case 'completed':
      return { ...event, state: 'done' };
    case 'backoff':
      return { ...event, state: 'progress', detail: `ended (${lastExit ?? 'unknown'}), starting again` };
    case 'failed':
      return { ...event, state: 'failed', ...(lastExit === undefined ? {} : { detail: lastExit }) };
    case 'waiting':
    case 'stopping':
    case 'stopped':
      return undefined;
  }
}
