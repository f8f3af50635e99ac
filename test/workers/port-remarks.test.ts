import test from 'ava';
import { askedBy, remarks, staleStatuses } from '#src/workers/port-remarks.js';
import { desiredPorts, type Service } from '#src/workers/desired-ports.js';
import { claimedPort, type Outcome } from '#src/rootless/claim.js';
import { removal } from '#src/rootless/port-refusal.js';
import type { Problem } from '#src/rootless/port.js';

const balanced = (port: number, ingress: { ip: string; ipMode: string }[] = []): Service => ({
  metadata: { namespace: 'default', name: 'web', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { type: 'LoadBalancer', ports: [{ port, nodePort: 31080, protocol: 'TCP' }] },
  status: { loadBalancer: { ingress } },
});

/** What became of the port of a load balancer, and of its node port. */
function outcomes(service: Service, problem?: Outcome['problem']): Outcome[] {
  const [port, nodePort] = desiredPorts([service], [], {
    publishAddress: '127.0.0.1',
    nodeAddress: '10.0.2.100',
    unprivilegedFrom: 1024,
  });
  if (port === undefined || nodePort === undefined) throw new Error('there are two');
  return [{ claim: port, ...(problem === undefined ? {} : { problem }) }, { claim: nodePort }];
}

const taken = {
  reason: '127.0.0.1:8080/tcp is in use on the host by nginx (pid 4711)',
  code: 'port-taken',
  fixes: ['take another port'],
};
const here = [{ ip: '127.0.0.1', ipMode: 'Proxy' }];
const none = new Set<string>();

test('a port that is as it was asked for is nothing to remark', (t) => {
  t.deepEqual(remarks(outcomes(balanced(8080)), none), []);
});

test('a port that is not published is a warning with cause and fix', (t) => {
  const [remark, ...others] = remarks(outcomes(balanced(8080), taken), none);
  t.deepEqual(others, []);
  t.like(remark, {
    type: 'Warning',
    reason: 'PortNotPublished',
    message:
      'port 8080/tcp is not published: 127.0.0.1:8080/tcp is in use on the host; fix: take another port',
  });
});

test('what else runs on the host or in other namespaces is not for those who read Events', (t) => {
  const told = (code: string, more: Partial<Problem> = {}): string => {
    const problem = { reason: 'SECRET', code, fixes: ['SECRET', removal(1)], ...more };
    return remarks(outcomes(balanced(8080), problem), none)[0]?.message ?? '';
  };
  for (const code of ['port-taken', 'port-conflict', 'port-refused', 'port-claimed-twice'])
    t.notRegex(told(code), /SECRET|remove-ports/, code);
  t.notRegex(told('port-claimed-twice', { rivalNamespace: 'other' }), /SECRET/);
  t.regex(told('port-claimed-twice', { rivalNamespace: 'default' }), /SECRET/);
});

test('that it is published after all is told', (t) => {
  const missing = new Set(outcomes(balanced(8080), taken).slice(0, 1).map(askedBy));
  t.like(remarks(outcomes(balanced(8080)), missing)[0], {
    type: 'Normal',
    reason: 'PortPublished',
    message: 'port 8080/tcp is published as 127.0.0.1:8080/tcp',
  });
});

test('so is that it is another port than was asked for, and how to have that', (t) => {
  const [low] = outcomes(balanced(80));
  const [remark] = remarks(outcomes(balanced(80)), none);
  t.regex(
    remark?.message ?? '',
    /^port 80\/tcp is published as 127\.0\.0\.1:8080\/tcp, instead of 80, .*=80/,
  );
  if (low !== undefined) t.regex(claimedPort(low).note ?? '', /instead of 80/);
});

test('u7s ports is told whose each port is', (t) => {
  const [port] = outcomes(balanced(8080), taken).map(claimedPort);
  t.like(port, {
    owner: { kind: 'service', namespace: 'default', name: 'web' },
    problem: taken,
    spec: { parentPort: 8080 },
  });
});

test('a load balancer has the address as long as its ports are published', (t) => {
  const of = (service: Service, problem?: Outcome['problem']): unknown =>
    staleStatuses([service], outcomes(service, problem), '127.0.0.1').map(({ ingress }) => ingress);
  t.deepEqual(of(balanced(8080)), [here]);
  t.deepEqual(of(balanced(8080, here)), []);
  t.deepEqual(of(balanced(8080, here), taken), [[]]);
  t.deepEqual(of(balanced(8080), taken), []);
  t.deepEqual(of(balanced(8080, [{ ip: '192.0.2.1', ipMode: 'Proxy' }])), [here]);
});
