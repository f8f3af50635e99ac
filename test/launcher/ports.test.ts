import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createNodePorts, type NodePorts } from '#src/launcher/ports.js';
import type { Event, Warning } from '#src/lib/events.js';
import { RootlessKitError, type PortClient } from '#src/rootless/api-client.js';
import type { Claim } from '#src/rootless/claim.js';
import type { PortOwner, WantedPort } from '#src/rootless/port.js';
import { formatPortSpec, parsePortSpec, type PortSpec, type PortStatus } from '#src/rootless/port-spec.js';
import { temporary } from '../temporary.js';

const { signal } = new AbortController();
const apiServer: WantedPort = {
  spec: parsePortSpec('127.0.0.1:6443:6443/tcp'),
  owner: { kind: 'api-server' },
};
const web = parsePortSpec('0.0.0.0:8080:80/tcp');
const dns = parsePortSpec('127.0.0.1:5353:53/udp');
const node = parsePortSpec('127.0.0.1:30001:10.0.2.100:30001/tcp');
const claim: Claim = {
  owner: { kind: 'Service', namespace: 'default', name: 'web', uid: 'u' },
  asked: { field: 'nodePort', port: 30001 },
  spec: node,
};

/** A RootlessKit that finds the ports of the host in `taken` in use. */
function fakeRootlessKit(taken: readonly number[]): PortClient & { live: PortStatus[] } {
  let lastId = 1;
  const kit = {
    live: [{ id: 1, spec: apiServer.spec }] as PortStatus[],
    list: () => Promise.resolve([...kit.live]),
    add: (spec: PortSpec) => {
      if (taken.includes(spec.parentPort))
        return Promise.reject(new RootlessKitError('bind: address already in use', 500));
      const status = { id: ++lastId, spec };
      kit.live.push(status);
      return Promise.resolve(status);
    },
    remove: (id: number) => {
      if (!kit.live.some((port) => port.id === id))
        return Promise.reject(new RootlessKitError(`port ${id} not found`, 404));
      kit.live = kit.live.filter((port) => port.id !== id);
      return Promise.resolve();
    },
    info: () => Promise.reject(new Error('not asked for')),
  };
  return kit;
}

type Given = { taken?: number[]; record?: string; runtimePublishes?: boolean };

/** The ports of a node whose settings publish `web`. */
async function nodePorts(
  t: ExecutionContext,
  { taken = [], record, runtimePublishes = false }: Given = {},
): Promise<{
  ports: NodePorts;
  kit: ReturnType<typeof fakeRootlessKit>;
  record: string;
  warnings: Warning[];
  open: () => Promise<void>;
  listed: () => Promise<[spec: string, ...owners: PortOwner['kind'][]][]>;
}> {
  const kit = fakeRootlessKit(taken);
  const file = record ?? join(await temporary(t), 'ports.json');
  const plan = { apiSocket: '', record: file, builtIn: [apiServer], config: [web], runtimePublishes };
  const ports = createNodePorts(plan, kit);
  const warnings: Warning[] = [];
  const report = (event: Event): void => void (event.kind === 'warning' && warnings.push(event));
  return {
    ports,
    kit,
    record: file,
    warnings,
    open: () => ports.open(report, signal),
    listed: async () =>
      (await ports.list(signal)).map(({ spec, owners }) => [
        formatPortSpec(spec),
        ...owners.map(({ kind }) => kind),
      ]),
  };
}

const published = (kit: { live: PortStatus[] }): string[] => kit.live.map(({ spec }) => formatPortSpec(spec));

test('every port is listed with its owner: built in, of the settings, by hand, claimed', async (t) => {
  const { ports, open, listed } = await nodePorts(t);
  await open();
  t.deepEqual(await ports.add(dns, signal), { id: 3, spec: dns });
  t.deepEqual(await ports.publish([claim], signal), [{ claim }]);
  t.deepEqual(await listed(), [
    [formatPortSpec(apiServer.spec), 'api-server'],
    [formatPortSpec(web), 'config'],
    [formatPortSpec(dns), 'manual'],
    [formatPortSpec(node), 'service'],
  ]);
});

test('a port that another program has published is one by hand, or dockerd’s where the runtime publishes', async (t) => {
  for (const [runtimePublishes, owner] of [
    [false, 'manual'],
    [true, 'docker'],
  ] as const) {
    const { kit, listed } = await nodePorts(t, { runtimePublishes });
    await kit.add(dns, signal);
    t.deepEqual((await listed())[1], [formatPortSpec(dns), owner]);
  }
});

test('what was added by hand is published by the next life, after what the settings say', async (t) => {
  const first = await nodePorts(t);
  await first.ports.add(dns, signal);
  const second = await nodePorts(t, { record: first.record });
  await second.open();
  t.deepEqual(published(second.kit), [apiServer.spec, web, dns].map(formatPortSpec));
});

test('what was removed is not', async (t) => {
  const first = await nodePorts(t);
  const { id } = await first.ports.add(dns, signal);
  await first.ports.remove(id, signal);
  t.deepEqual(published(first.kit), [formatPortSpec(apiServer.spec)]);
  const second = await nodePorts(t, { record: first.record });
  await second.open();
  t.deepEqual(published(second.kit), [apiServer.spec, web].map(formatPortSpec));
});

test('a port by hand that is taken costs a warning; it is listed with the reason, and can be forgotten', async (t) => {
  const first = await nodePorts(t);
  await first.ports.add(dns, signal);
  const { ports, open, warnings, listed } = await nodePorts(t, { record: first.record, taken: [5353] });
  await open();
  t.is(warnings[0]?.code, 'port-taken');
  t.like((await ports.list(signal)).at(-1), { spec: dns, problem: { code: 'port-taken' } });
  await ports.forget(dns);
  t.deepEqual((await listed()).length, 2);
});

test('a port of the settings that is taken is an error; the others are published all the same', async (t) => {
  const first = await nodePorts(t);
  await first.ports.add(dns, signal);
  const { kit, open } = await nodePorts(t, { record: first.record, taken: [8080] });
  t.like(await t.throwsAsync(open()), { code: 'port-taken' });
  t.true(published(kit).includes(formatPortSpec(dns)));
});

test('what is refused by hand is not kept', async (t) => {
  const { ports, listed } = await nodePorts(t, { taken: [5353] });
  t.like(await t.throwsAsync(ports.add(dns, signal)), { code: 'port-taken' });
  t.false((await listed()).some(([, owner]) => owner === 'manual'));
});

test('a damaged record costs a warning with what to do', async (t) => {
  const { record, open, warnings } = await nodePorts(t);
  await writeFile(record, 'damaged');
  await open();
  t.like(warnings[0], { code: 'damaged-file', fixes: [`remove it, and add the ports again: rm ${record}`] });
});

test('a port of the settings that is added by hand does not become one by hand as well', async (t) => {
  const { ports, open, kit, listed } = await nodePorts(t);
  await open();
  await kit.remove(2, signal);
  await ports.add(web, signal);
  t.deepEqual((await listed()).at(-1), [formatPortSpec(web), 'config']);
});

test('before dockerd starts, what its predecessor has left ends, and nothing else', async (t) => {
  const { ports, open, kit } = await nodePorts(t, { runtimePublishes: true });
  await open();
  await ports.add(dns, signal);
  await ports.publish([claim], signal);
  const before = published(kit);
  await kit.add(parsePortSpec('127.0.0.1:9090:90/tcp'), signal);
  await ports.takeBack(signal);
  t.deepEqual(published(kit), before);
});

test('what RootlessKit does not know cannot be removed', async (t) => {
  const { ports } = await nodePorts(t);
  t.like(await t.throwsAsync(ports.remove(99, signal)), { code: 'rootlesskit-refused' });
});

test('changes that come at once are carried out one after another', async (t) => {
  const { ports, kit } = await nodePorts(t);
  let running = 0;
  const add = kit.add.bind(kit);
  kit.add = async (spec, end) => {
    t.is(++running, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return add(spec, end);
  };
  await Promise.all([ports.add(dns, signal), ports.publish([claim], signal), ports.add(web, signal)]);
  t.is(kit.live.length, 4);
});
