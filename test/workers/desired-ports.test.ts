import test from 'ava';
import {
  desiredPorts,
  podOfInterest,
  serviceOfInterest,
  type HostFacts,
  type Pod,
  type Service,
} from '#src/workers/desired-ports.js';
import type { Claim } from '#src/rootless/claim.js';
import { formatPortSpec } from '#src/rootless/port-spec.js';
import { pod, service } from './objects.js';

const host: HostFacts = {
  publishAddress: '127.0.0.1',
  nodeAddress: '10.0.2.100',
  unprivilegedFrom: 1024,
};

function claims(services: Service[], pods: Pod[] = [], facts: Partial<HostFacts> = {}): Claim[] {
  return desiredPorts(services, pods, { ...host, ...facts });
}

const specs = (...args: Parameters<typeof claims>): string[] =>
  claims(...args).map(({ spec }) => formatPortSpec(spec));

const web = service('web', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] });
const balanced = service('balanced', { type: 'LoadBalancer', ports: [{ port: 8080, nodePort: 31000 }] });

test('a node port is the same on the host', (t) => {
  t.deepEqual(specs([web]), ['127.0.0.1:30080:10.0.2.100:30080/tcp']);
});

test('the port of a load balancer leads to its node port, which is published too', (t) => {
  t.deepEqual(specs([balanced]), [
    '127.0.0.1:8080:10.0.2.100:31000/tcp',
    '127.0.0.1:31000:10.0.2.100:31000/tcp',
  ]);
});

test('without a node port it leads to the address in the cluster', (t) => {
  const direct = service('direct', { type: 'LoadBalancer', clusterIP: '10.0.0.9', ports: [{ port: 8080 }] });
  t.deepEqual(specs([direct]), ['127.0.0.1:8080:10.0.0.9:8080/tcp']);
});

test('a load balancer of another class is left to that one', (t) => {
  const other = service('other', { ...balanced.spec, loadBalancerClass: 'x/y', ports: [{ port: 1 }] });
  t.deepEqual(specs([other]), []);
});

test('a host port of a pod is the same on the host', (t) => {
  const dns = pod('dns', { containerPort: 53, hostPort: 5353, protocol: 'UDP' });
  t.deepEqual(specs([], [dns]), ['127.0.0.1:5353:10.0.2.100:5353/udp']);
});

test('a host port for loopback alone stays there, wherever others are published', (t) => {
  const local = pod('local', { containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' });
  t.deepEqual(specs([], [local], { publishAddress: '192.0.2.7' }), ['127.0.0.1:8080:127.0.0.1:8080/tcp']);
});

test('all addresses are all of IPv4, not of IPv6', (t) => {
  t.deepEqual(specs([web], [], { publishAddress: '0.0.0.0' }), ['0.0.0.0:30080:10.0.2.100:30080/tcp4']);
});

test('a port that the kernel refuses to ordinary users is published 8000 higher', (t) => {
  const low = service('low', { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 31080 }] });
  t.is(specs([low])[0], '127.0.0.1:8080:10.0.2.100:31080/tcp');
  t.is(specs([low], [], { unprivilegedFrom: 80 })[0], '127.0.0.1:80:10.0.2.100:31080/tcp');
});

test('what cannot be published says why', (t) => {
  const problem = (services: Service[], pods: Pod[] = []): string | undefined =>
    claims(services, pods)[0]?.problem?.reason;
  const sctp = service('sctp', { type: 'NodePort', ports: [{ port: 1, nodePort: 30001, protocol: 'SCTP' }] });
  t.regex(problem([sctp]) ?? '', /SCTP/);
  const ranges = { ...balanced.spec, ports: [{ port: 1 }], loadBalancerSourceRanges: ['192.0.2.0/24'] };
  t.regex(problem([service('ranges', ranges)]) ?? '', /loadBalancerSourceRanges cannot be kept/);
  const elsewhere = pod('elsewhere', { containerPort: 80, hostPort: 8080, hostIP: '192.0.2.1' });
  t.regex(problem([], [elsewhere]) ?? '', /192\.0\.2\.1 is no address of the node/);
  t.is(problem([web]), undefined);
});

test('a port that the settings do not allow is refused, as the number that it would have on the host', (t) => {
  const allowed = [{ first: 8000, last: 8100 }];
  const low = service('low', { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 31080 }] });
  const codes = desiredPorts([low], [], { ...host, allowed }).map(({ asked, problem }) => [
    asked.field,
    problem?.code,
  ]);
  t.deepEqual(codes, [
    ['port', undefined],
    ['nodePort', 'port-not-allowed'],
  ]);
});

test('those who asked first come first, however they are listed', (t) => {
  const owners = (list: Claim[]): string[] => list.map(({ owner }) => owner.name);
  t.deepEqual(owners(claims([balanced, web])), ['web', 'balanced', 'balanced']);
  t.deepEqual(owners(claims([web, balanced])), ['web', 'balanced', 'balanced']);
});

test('of a Service nothing but its ports is remembered, and of one without published ports nothing', (t) => {
  const verbose = { ...web, metadata: { ...web.metadata, annotations: { long: 'x' } }, kind: 'Service' };
  t.deepEqual(serviceOfInterest(verbose)?.metadata, web.metadata);
  t.deepEqual(claims([serviceOfInterest(verbose) as Service]), claims([web]));
  t.is(serviceOfInterest(service('inner', { type: 'ClusterIP', ports: [{ port: 80 }] })), undefined);
});

test('of a Pod nothing but its host ports is remembered, those of sidecars included', (t) => {
  const onHost = { containerPort: 80, hostPort: 8080 };
  const { metadata } = pod('any');
  const of = (spec: Pod['spec']): Pod | undefined => podOfInterest({ metadata, spec });
  t.is(of({ containers: [{ ports: [{ containerPort: 80 }] }, {}] }), undefined);
  t.is(of({ containers: [{}], initContainers: [{ ports: [onHost] }] }), undefined);
  t.deepEqual(
    of({
      containers: [{ ports: [{ containerPort: 1 }, onHost] }],
      initContainers: [{ restartPolicy: 'Always', ports: [onHost] }],
    })?.spec,
    { containers: [{ ports: [onHost] }, { ports: [onHost] }] },
  );
});
