import test from 'ava';
import { RootlessKitError, type PortClient } from '#src/rootless/api-client.js';
import type { Claim } from '#src/rootless/claim.js';
import { createClaimedPorts } from '#src/rootless/claimed-ports.js';
import type { PortSpec, PortStatus } from '#src/rootless/port-spec.js';
import { keyOf } from '#src/rootless/reconcile.js';

const { signal } = new AbortController();

const specOf = (parentPort: number): PortSpec => ({
  proto: 'tcp',
  parentIP: '127.0.0.1',
  parentPort,
  childIP: '10.0.2.100',
  childPort: parentPort,
});
const claim = (parentPort: number): Claim => ({
  owner: { kind: 'Service', namespace: 'default', name: `s${parentPort}`, uid: `${parentPort}` },
  asked: { field: 'nodePort', port: parentPort },
  spec: specOf(parentPort),
});
const apiServer: PortStatus = { id: 1, spec: { ...specOf(6443), childIP: '127.0.0.1' } };

/** RootlessKit as its API shows it. `busy` are ports that the kernel refuses; `deaf` loses the answers to what it does. */
function fakeRootlessKit(): Pick<PortClient, 'list' | 'add' | 'remove'> & {
  ports: PortStatus[];
  busy: Set<number>;
  deaf: boolean;
} {
  let lastId = 1;
  const fake = {
    ports: [apiServer],
    busy: new Set<number>(),
    deaf: false,
    list: () => Promise.resolve([...fake.ports]),
    add: (spec: PortSpec) => {
      if (fake.busy.has(spec.parentPort))
        return Promise.reject(new RootlessKitError('bind: address already in use', 500));
      const status = { id: ++lastId, spec };
      fake.ports = [...fake.ports, status];
      return fake.deaf ? Promise.reject(new Error('socket hang up')) : Promise.resolve(status);
    },
    remove: (id: number) => {
      fake.ports = fake.ports.filter((port) => port.id !== id);
      return Promise.resolve();
    },
  };
  return fake;
}

test('publishes what is claimed, and takes back only what it has published', async (t) => {
  const kit = fakeRootlessKit();
  const publisher = createClaimedPorts(kit);
  await publisher.publish([claim(30001), claim(30002)], signal);
  t.deepEqual(
    kit.ports.map(({ spec }) => spec.parentPort),
    [6443, 30001, 30002],
  );
  await publisher.publish([claim(30002)], signal);
  t.deepEqual(
    kit.ports.map(({ spec }) => spec.parentPort),
    [6443, 30002],
  );
  await publisher.publish([], signal);
  t.deepEqual(kit.ports, [apiServer]);
});

test('a port that is taken is told, does not hold up the others, and heals', async (t) => {
  const kit = fakeRootlessKit();
  kit.busy.add(30001);
  const publisher = createClaimedPorts(kit);
  const [first, second] = await publisher.publish([claim(30001), claim(30002)], signal);
  t.regex(first?.problem?.reason ?? '', /127\.0\.0\.1:30001\/tcp is in use/);
  t.is(second?.problem, undefined);
  kit.busy.clear();
  const healed = await publisher.publish([claim(30001), claim(30002)], signal);
  t.true(healed.every(({ problem }) => problem === undefined));
  t.is(kit.ports.length, 3);
});

test('a port that somebody removed by hand comes back', async (t) => {
  const kit = fakeRootlessKit();
  const publisher = createClaimedPorts(kit);
  await publisher.publish([claim(30001)], signal);
  kit.ports = [apiServer];
  await publisher.publish([claim(30001)], signal);
  t.deepEqual(kit.ports.map(({ spec }) => keyOf(spec)).slice(1), [keyOf(specOf(30001))]);
});

test('a port whose answer was lost is ours all the same', async (t) => {
  const kit = fakeRootlessKit();
  const publisher = createClaimedPorts(kit);
  kit.deaf = true;
  await t.throwsAsync(publisher.publish([claim(30001)], signal), { message: 'socket hang up' });
  kit.deaf = false;
  await publisher.publish([claim(30001)], signal);
  t.is(kit.ports.length, 2);
  await publisher.publish([], signal);
  t.deepEqual(kit.ports, [apiServer]);
});

test('the same port published by hand serves as well, and stays', async (t) => {
  const kit = fakeRootlessKit();
  kit.ports = [apiServer, { id: 50, spec: specOf(30001) }];
  const publisher = createClaimedPorts(kit);
  const [outcome] = await publisher.publish([claim(30001)], signal);
  t.is(outcome?.problem, undefined);
  await publisher.publish([], signal);
  t.is(kit.ports.length, 2);
});
