type Ports = { hostAccess: number[]; apiPort: number; kubeletPort: number; etcdPort: number };

/** Ports of the node's own, where a port of the host cannot be served too. */
export function hostAccessFaults(settings: Ports): string[] {
  const { hostAccess, apiPort, kubeletPort, etcdPort } = settings;
  const own = new Map([
    [apiPort, 'the API server'],
    [kubeletPort, 'the kubelet'],
    ...[0, 1, 2].map((more): [number, string] => [etcdPort + more, 'etcd']),
    ...[10248, 10249, 10256, 10257, 10259].map((port): [number, string] => [port, 'a service of the node']),
  ]);
  return hostAccess.flatMap((port) => {
    const owner = own.get(port);
    return owner === undefined
      ? []
      : [`${port} is the port of ${owner} in the node: let the host's program listen on another`];
  });
}
