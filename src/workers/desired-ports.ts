import type { Claim, Owner } from '../rootless/claim.js';
import type { Problem } from '../rootless/port.js';
import { inRanges, type PortRange } from '../rootless/port-range.js';
import type { Protocol } from '../rootless/port-spec.js';

/** A port below the lowest that the kernel allows to ordinary users is published this much higher: 80 as 8080, 443 as 8443. */
export const privilegedOffset = 8000;

type ServicePort = { port: number; protocol?: string; nodePort?: number };
type Ingress = { ip?: string; ipMode?: string };

/** As much of a Service as matters here. */
export type Service = {
  metadata: ObjectMeta;
  spec: {
    type?: string;
    clusterIP?: string;
    ports?: ServicePort[];
    loadBalancerClass?: string;
    loadBalancerSourceRanges?: string[];
  };
  status?: { loadBalancer?: { ingress?: Ingress[] } };
};

type ContainerPort = { containerPort: number; hostPort?: number; hostIP?: string; protocol?: string };
type Container = { ports?: ContainerPort[]; restartPolicy?: string };

/** As much of a Pod as matters here. */
export type Pod = {
  metadata: ObjectMeta;
  spec: { containers: Container[]; initContainers?: Container[] };
};

type ObjectMeta = { name: string; namespace: string; uid: string; creationTimestamp: string };

export type HostFacts = {
  /** The node's address in its own network, where its ports are served. */
  nodeAddress: string;
  /** Address of the host that Services and host ports are published on; 0.0.0.0 for all. */
  publishAddress: string;
  /** net.ipv4.ip_unprivileged_port_start: the lowest port that an ordinary user may listen on. */
  unprivilegedFrom: number;
  /** The ports of the host that claims may have; without them any. */
  allowed?: readonly PortRange[];
};

/** Of a Service only what is needed, so that a cluster's worth of them is small; undefined when it asks for no port. */
export function serviceOfInterest({ metadata, spec, status }: Service): Service | undefined {
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return undefined;
  const { type, clusterIP, ports, loadBalancerClass, loadBalancerSourceRanges } = spec;
  const ingress = status?.loadBalancer?.ingress;
  return {
    metadata: essential(metadata),
    spec: {
      type,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(ports === undefined ? {} : { ports }),
      ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
      ...(loadBalancerSourceRanges === undefined ? {} : { loadBalancerSourceRanges }),
    },
    ...(ingress === undefined ? {} : { status: { loadBalancer: { ingress } } }),
  };
}

/** The same of a Pod; most have no host port. */
export function podOfInterest({ metadata, spec }: Pod): Pod | undefined {
  const containers = servingContainers(spec).flatMap(({ ports = [] }) => {
    const onHost = ports.filter(({ hostPort }) => hostPort !== undefined);
    return onHost.length === 0 ? [] : [{ ports: onHost }];
  });
  return containers.length === 0 ? undefined : { metadata: essential(metadata), spec: { containers } };
}

/** A Service whose load balancer we are, since no other is there. */
export const isOurLoadBalancer = ({ spec }: Service): boolean =>
  spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined;

/**
 * The ports that Services and running pods ask for, those who asked first before the others. It depends on nothing but
 * the objects and the host, so that the same cluster always ends with the same ports.
 */
export function desiredPorts(services: Iterable<Service>, pods: Iterable<Pod>, host: HostFacts): Claim[] {
  return [
    ...[...services].map((service) => ({ ...service, claims: serviceClaims(service, host) })),
    ...[...pods].map((pod) => ({ ...pod, claims: podClaims(pod, host) })),
  ]
    .sort((a, b) => compare(a.metadata, b.metadata))
    .flatMap(({ claims }) => claims);
}

function serviceClaims(service: Service, host: HostFacts): Claim[] {
  const { ports = [], clusterIP, loadBalancerSourceRanges = [] } = service.spec;
  const owner = ownerOf('Service', service.metadata);
  return ports.flatMap(({ port, nodePort, protocol }) => {
    const claim = (asked: Claim['asked'], child: Child, refusal?: Problem): Claim =>
      claimOf({ owner, asked, protocol, address: host.publishAddress, child, refusal }, host);
    const node = nodePort === undefined ? undefined : { childIP: host.nodeAddress, childPort: nodePort };
    // With allocateLoadBalancerNodePorts: false there is only the address within the cluster.
    const target = node ?? (clusterIP === undefined ? undefined : { childIP: clusterIP, childPort: port });
    const refusal = loadBalancerSourceRanges.length > 0 ? sourceRanges : undefined;
    return [
      ...(isOurLoadBalancer(service) && target ? [claim({ field: 'port', port }, target, refusal)] : []),
      ...(node ? [claim({ field: 'nodePort', port: node.childPort }, node)] : []),
    ];
  });
}

function podClaims({ metadata, spec }: Pod, host: HostFacts): Claim[] {
  const { nodeAddress } = host;
  const owner = ownerOf('Pod', metadata);
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP = '', protocol }) => {
      if (hostPort === undefined) return [];
      const asked = { field: 'hostPort', port: hostPort } as const;
      // Asked for loopback alone, a port is served there alone, inside as outside.
      const loopback = hostIP.startsWith('127.');
      const known = loopback || ['', '0.0.0.0', '::', nodeAddress].includes(hostIP);
      const address = loopback ? hostIP : host.publishAddress;
      const child = { childIP: loopback ? hostIP : nodeAddress, childPort: hostPort };
      const refusal = known ? undefined : foreignHostIP(hostIP);
      return [claimOf({ owner, asked, protocol, address, child, refusal }, host)];
    }),
  );
}

type Child = { childIP: string; childPort: number };

function claimOf(
  wanted: Pick<Claim, 'owner' | 'asked'> & {
    protocol: string | undefined;
    address: string;
    child: Child;
    refusal: Problem | undefined;
  },
  { unprivilegedFrom, allowed }: HostFacts,
): Claim {
  const { owner, asked, protocol = 'TCP', address, child, refusal } = wanted;
  const parentPort = asked.port < unprivilegedFrom ? asked.port + privilegedOffset : asked.port;
  const isAllowed = allowed === undefined || inRanges(allowed, parentPort);
  const problem = protocol === 'SCTP' ? sctp : (refusal ?? (isAllowed ? undefined : notAllowed(parentPort)));
  const spec = { proto: wireProtocol(protocol, address), parentIP: address, parentPort, ...child };
  return { owner, asked, spec, ...(problem === undefined ? {} : { problem }) };
}

/** RootlessKit would open a bare `tcp` on 0.0.0.0 to IPv6 as well, which nobody has asked for. */
function wireProtocol(protocol: string, address: string): Protocol {
  const name = protocol.toLowerCase();
  return (address === '0.0.0.0' ? `${name}4` : name) as Protocol;
}

const sctp: Problem = {
  reason: "RootlessKit's builtin port driver does not carry SCTP",
  code: 'port-protocol',
  fixes: ['use TCP or UDP'],
};

const sourceRanges: Problem = {
  reason: 'loadBalancerSourceRanges cannot be kept: behind RootlessKit every client has the same address',
  code: 'port-source-ranges',
  fixes: ['leave them out and filter by the firewall of the host'],
};

const notAllowed = (port: number): Problem => ({
  reason: `the settings of this node do not let Services and pods have port ${port} of the host`,
  code: 'port-not-allowed',
  fixes: ['take a port that exposePorts names, or have the owner of the node add this one'],
});

const foreignHostIP = (hostIP: string): Problem => ({
  reason: `hostIP ${hostIP} is no address of the node`,
  code: 'port-host-ip',
  fixes: ['leave hostIP out, or make it 127.0.0.1; --publish-address sets the address on the host'],
});

/** Containers that go on running: of the init containers only sidecars. */
function servingContainers({ containers, initContainers = [] }: Pod['spec']): Container[] {
  return [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')];
}

function compare(a: ObjectMeta, b: ObjectMeta): number {
  const order = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return order(a.creationTimestamp, b.creationTimestamp) || order(a.uid, b.uid);
}

const ownerOf = (kind: Owner['kind'], { namespace, name, uid }: ObjectMeta): Owner => ({
  kind,
  namespace,
  name,
  uid,
});

const essential = ({ name, namespace, uid, creationTimestamp }: ObjectMeta): ObjectMeta => ({
  name,
  namespace,
  uid,
  creationTimestamp,
});
