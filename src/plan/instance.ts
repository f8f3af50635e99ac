import { runtimes } from '../runtimes/table.js';
import { withComponents } from '../services/with-components.js';
import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';
import type { Artifacts } from './artifacts.js';
import { planKubernetes } from './kubernetes.js';
import { planRegistries } from './registries.js';
import { nodeServices } from './node-services.js';
import { serviceContext } from './service-context.js';
import type { HostFacts, InstancePlan, Made } from './types.js';

/** What runs in the namespaces, and what acts on it from the host. */
export function planInstance(
  settings: Settings,
  paths: Paths,
  artifacts: Artifacts,
  host: HostFacts,
  made: Made,
): InstancePlan {
  const context = serviceContext(settings, paths, artifacts, host, made);
  const runtime = runtimes[settings.runtime];
  const registries = planRegistries(settings, paths, host);
  if (!settings.kubernetes) return { services: runtime.services(context), registries };
  const services = withComponents(nodeServices(context, runtime), settings);
  return { services, registries, kubernetes: planKubernetes(settings, paths, services, made) };
}
