import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ServiceDefinition, SupervisorEvent } from '#src/supervisor/definition.js';
import { isObject } from '#src/lib/shape.js';
import { readMessages } from '#src/supervisor/ndjson.js';
import { daemon, runs, temporaryDir } from './harness.js';

const isEvent = (value: unknown): value is SupervisorEvent => isObject(value);
const definitions = [daemon('base'), daemon('user', { dependsOn: { base: 'ready' } })];

/** A supervisor in a process of its own, spoken to by pipes. */
async function launch(t: ExecutionContext, services: ServiceDefinition[]): Promise<ChildProcess> {
  const dir = await temporaryDir(t);
  await writeFile(join(dir, 'definitions.json'), JSON.stringify(services));
  const entry = 'dist-test/fixtures/supervisor/entry.js';
  return spawn(process.execPath, [entry, join(dir, 'logs'), join(dir, 'definitions.json')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Calls `once ready`, then gathers all events to the end. */
async function eventsOf(child: ChildProcess, onceReady: () => void): Promise<SupervisorEvent[]> {
  const events: SupervisorEvent[] = [];
  if (!child.stdout) throw new Error('no stdout');
  for await (const event of readMessages(child.stdout, isEvent)) {
    events.push(event);
    if (event.type === 'service' && event.status.name === 'user' && event.status.phase === 'ready')
      onceReady();
  }
  return events;
}

const pidsOf = (events: SupervisorEvent[]): number[] => [
  ...new Set(events.flatMap((event) => (event.type === 'service' ? (event.status.pid ?? []) : []))),
];

for (const [title, tell] of [
  ['asked to stop', (child: ChildProcess) => child.stdin?.write('noise\n{"type":"stop"}\n')],
  ['left alone by its launcher', (child: ChildProcess) => child.stdin?.end()],
] as const) {
  test(`a supervisor that is ${title} stops everything, says so and ends`, async (t) => {
    const child = await launch(t, definitions);
    const exit = once(child, 'exit');
    const events = await eventsOf(child, () => tell(child));
    t.deepEqual(await exit, [0, null]);
    t.deepEqual(events.at(-1), { type: 'stopped', reason: 'told to' });
    t.is(pidsOf(events).length, 2);
    for (const pid of pidsOf(events)) t.false(await runs(pid));
  });
}

test('a launcher that dies without a word, both pipes at once, leaves nothing behind', async (t) => {
  const child = await launch(t, definitions);
  const exit = once(child, 'exit');
  const events = await eventsOf(child, () => {
    child.stdout?.destroy();
    child.stdin?.destroy();
  });
  t.deepEqual(await exit, [0, null]);
  t.is(pidsOf(events).length, 2);
  for (const pid of pidsOf(events)) t.false(await runs(pid));
});
