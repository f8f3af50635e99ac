import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startNodeTree, type NodeTree } from '#src/launcher/node-tree.js';
import type { SupervisorReport } from '#src/launcher/supervisor-protocol.js';
import type { ServiceDefinition } from '#src/supervisor/definition.js';
import { temporary } from '../temporary.js';
import { namespacePlan } from './plans.js';

type Tree = NodeTree & {
  dir: string;
  noise: string[];
  reports: SupervisorReport[];
  /** The first report of this type, past or future. */
  heard(type: SupervisorReport['type']): Promise<SupervisorReport>;
};

/** A tree whose RootlessKit is test/fixtures/launcher/tree.ts. */
async function tree(t: ExecutionContext, ...args: string[]): Promise<Tree> {
  const dir = await temporary(t);
  const plan = namespacePlan(dir, {
    command: process.execPath,
    args: ['dist-test/fixtures/launcher/tree.js', dir, ...args],
  });
  await writeFile(plan.controlSocket, '');
  const reports: SupervisorReport[] = [];
  const noise: string[] = [];
  const listeners = new Set<() => void>();
  const started = await startNodeTree(
    plan,
    (report) => {
      reports.push(report);
      for (const listener of listeners) listener();
    },
    (line) => noise.push(line),
  );
  t.teardown(() => started.kill());
  return {
    ...started,
    dir,
    noise,
    reports,
    heard: (type) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = reports.find((report) => report.type === type);
          if (found !== undefined) resolve(found);
        };
        listeners.add(look);
        look();
      }),
  };
}

const service = { name: 'etcd' } as ServiceDefinition;

test('the namespaces are prepared, services start, and a stop ends it in order', async (t) => {
  const node = await tree(t);
  await node.heard('prepared');
  node.send({ type: 'start', services: [service] });
  t.like(await node.heard('service'), { status: { name: 'etcd', phase: 'ready' } });
  node.send({ type: 'stop' });
  t.is(await node.ended, 'RootlessKit ended: exit code 0');
  t.is(node.reports.at(-1)?.type, 'stopped');
});

test('lines that are no reports are skipped and passed on, and do no harm', async (t) => {
  const node = await tree(t, 'noise');
  await node.heard('prepared');
  node.send({ type: 'start', services: [service] });
  t.like(await node.heard('service'), { status: { name: 'etcd' } });
  node.send({ type: 'stop' });
  await node.ended;
  t.deepEqual(node.noise.slice(0, 4), ['oops', '{"type":"unknown"}', '{"type":"service"}', '[1]']);
  t.deepEqual([...new Set(node.reports.map(({ type }) => type))], ['prepared', 'service', 'stopped']);
});

test('how it ended is told: by itself, or killed', async (t) => {
  const [own, killed] = [await tree(t), await tree(t)];
  own.send({ type: 'restart', name: 'x' });
  t.is(await own.ended, 'RootlessKit ended: exit code 3');
  killed.kill();
  t.is(await killed.ended, 'RootlessKit ended: signal SIGKILL');
});

test('it is killed when nobody can reach it any more', async (t) => {
  const node = await tree(t);
  await node.heard('prepared');
  const socket = join(node.dir, 'control.sock');
  await rm(socket);
  t.is(await node.ended, `${socket} was removed`);
});

test('a program that cannot be started is told', async (t) => {
  const dir = await temporary(t);
  const plan = namespacePlan(dir, { command: '/nonexistent/rootlesskit', args: [] });
  const { ended } = await startNodeTree(plan, (report) => t.fail(report.type));
  t.regex(await ended, /^RootlessKit ended: exit code/);
});
