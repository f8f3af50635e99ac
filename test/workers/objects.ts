import type { Pod, Service } from '#src/workers/desired-ports.js';

let serial = 0;

type Ports = NonNullable<Service['spec']['ports']>;

/** A Service as the API server shows it. Without `createdAt` each is a second younger than the one before. */
export function service(
  name: string,
  spec: Omit<Service['spec'], 'ports'> & { ports: Ports },
  status: Service['status'] = {},
): Service {
  return {
    metadata: metadata(name),
    spec: { clusterIP: '10.0.0.7', ...spec, ports: spec.ports.map((port) => ({ protocol: 'TCP', ...port })) },
    status,
  };
}

export function pod(name: string, ...ports: NonNullable<Pod['spec']['containers'][number]['ports']>): Pod {
  return { metadata: metadata(name), spec: { containers: [{ ports }] } };
}

function metadata(name: string): Service['metadata'] {
  serial += 1;
  const creationTimestamp = new Date(serial * 1000).toISOString().replace('.000Z', 'Z');
  return { name, namespace: 'default', uid: `uid-${name}`, creationTimestamp };
}
