import type { Command } from '../images/image-store.js';
import type { DependencyCondition, ServiceDefinition } from '../supervisor/definition.js';
import { serviceEnv } from '../services/context.js';

/** Loads the images that are made from binaries, so that no registry is needed; `load` imports those that are missing. */
export function bundledImages(
  load: Command,
  dependsOn: Record<string, DependencyCondition>,
): ServiceDefinition {
  return {
    name: 'bundled-images',
    kind: 'task',
    ...load,
    env: serviceEnv,
    dependsOn,
    files: [],
    restart: { when: 'on-failure', backoff: { initialMs: 200, maxMs: 10_000 } },
    stop: { signal: 'SIGTERM', graceMs: 2_000 },
  };
}
