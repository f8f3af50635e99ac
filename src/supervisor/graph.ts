import { U7sError } from '../lib/errors.js';
import type { DependencyCondition, ServiceDefinition, ServiceStatus } from './definition.js';

export type Node = Pick<ServiceDefinition, 'name' | 'kind' | 'dependsOn' | 'reachable'>;

/** A name becomes the name of a log file. */
const safeName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * The names in an order in which each comes after everything that it depends on, otherwise as given. Throws for what
 * could never start: an unknown or impossible dependency, a name that is taken or not fit for a file, a circle.
 */
export function startOrder(nodes: readonly Node[]): string[] {
  const byName = new Map<string, Node>();
  for (const node of nodes) {
    if (!safeName.test(node.name))
      throw new U7sError('service-name', `${JSON.stringify(node.name)} is not a name for a service`);
    if (byName.has(node.name)) throw new U7sError('service-name', `two services are named ${node.name}`);
    byName.set(node.name, node);
  }

  const order = new Set<string>();
  const visit = (node: Node, path: readonly string[]): void => {
    if (order.has(node.name)) return;
    const trail = [...path, node.name];
    if (path.includes(node.name)) {
      throw new U7sError(
        'service-dependency',
        `services depend on each other: ${trail.slice(path.indexOf(node.name)).join(' → ')}`,
      );
    }
    for (const [name, condition] of Object.entries(node.dependsOn)) {
      const dependency = byName.get(name);
      if (!dependency)
        throw new U7sError(
          'service-dependency',
          `service ${node.name} depends on ${name}, which does not exist`,
        );
      if (dependency.kind === 'daemon' && condition === 'completed') {
        throw new U7sError(
          'service-dependency',
          `service ${node.name} waits for the end of ${name}, which is a daemon and never ends`,
        );
      }
      if (dependency.reachable === undefined && condition === 'reachable') {
        throw new U7sError(
          'service-dependency',
          `service ${node.name} waits for ${name}, which never reports that it is reachable`,
        );
      }
      visit(dependency, trail);
    }
    order.add(node.name);
  };
  for (const node of nodes) visit(node, []);
  return [...order];
}

/** For each name, those that depend on it directly: they must have stopped before it stops. */
export function dependentsOf(nodes: readonly Node[]): Map<string, string[]> {
  return new Map(
    nodes.map(({ name }) => [
      name,
      nodes.filter((other) => name in other.dependsOn).map((other) => other.name),
    ]),
  );
}

/** What dependents of a service may count on, now that it has this status. */
export function conditionsMet({ phase, pid, reachableAt }: ServiceStatus): DependencyCondition[] {
  if (phase === 'completed') return ['started', 'ready', 'completed'];
  const reached: DependencyCondition[] = reachableAt === undefined ? [] : ['reachable'];
  if (phase === 'ready') return ['started', ...reached, 'ready'];
  return phase === 'starting' && pid !== undefined ? ['started', ...reached] : [];
}
