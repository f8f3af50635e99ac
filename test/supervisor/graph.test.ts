import test from 'ava';
import fc from 'fast-check';
import { U7sError } from '#src/lib/errors.js';
import type { DependencyCondition, ServiceStatus } from '#src/supervisor/definition.js';
import { conditionsMet, dependentsOf, startOrder, type Node } from '#src/supervisor/graph.js';

const node = (
  name: string,
  dependsOn: Record<string, DependencyCondition> = {},
  kind: Node['kind'] = 'daemon',
) => ({
  name,
  kind,
  dependsOn,
});

test('each service comes after those it depends on', (t) => {
  const nodes = [node('c', { b: 'ready' }), node('a'), node('b', { a: 'started' }), node('d')];
  t.deepEqual(startOrder(nodes), ['a', 'b', 'c', 'd']);
});

test('an acyclic graph of any shape has an order', (t) => {
  const graphs = fc.array(fc.array(fc.nat(30)), { maxLength: 30 });
  fc.assert(
    fc.property(graphs, fc.integer(), (edges, seed) => {
      const nodes = edges.map((targets, index) =>
        node(
          `s${index}`,
          Object.fromEntries(targets.filter((to) => to < index).map((to) => [`s${to}`, 'ready'])),
        ),
      );
      nodes.sort((a, b) => ((a.name.length * 31 + seed) % 7) - ((b.name.length * 17 + seed) % 5));
      const order = startOrder(nodes);
      return (
        order.length === nodes.length &&
        nodes.every(({ name, dependsOn }) =>
          Object.keys(dependsOn).every((other) => order.indexOf(other) < order.indexOf(name)),
        )
      );
    }),
  );
  t.pass();
});

test('a circle is named', (t) => {
  const nodes = [
    node('x', { a: 'ready' }),
    node('a', { b: 'ready' }),
    node('b', { c: 'ready' }),
    node('c', { a: 'ready' }),
  ];
  t.throws(() => startOrder(nodes), { message: 'services depend on each other: a → b → c → a' });
  t.throws(() => startOrder([node('a', { a: 'started' })]), {
    message: 'services depend on each other: a → a',
  });
});

test('what could never start is refused', (t) => {
  const refused: [Node[], code: string, named: RegExp][] = [
    [[node('a', { ghost: 'ready' })], 'service-dependency', /\bghost\b/],
    [[node('a'), node('a')], 'service-name', /\ba\b/],
    [[node('../a')], 'service-name', /"\.\.\/a"/],
    [[node('d'), node('a', { d: 'completed' })], 'service-dependency', /\bd\b/],
    [[node('d'), node('a', { d: 'reachable' })], 'service-dependency', /\bd\b/],
  ];
  for (const [nodes, code, message] of refused) {
    t.is(t.throws(() => startOrder(nodes), { instanceOf: U7sError, message }).code, code);
  }
});

test('dependents are those that must stop before', (t) => {
  const nodes = [node('a'), node('b', { a: 'ready' }), node('c', { a: 'started', b: 'ready' })];
  t.deepEqual(Object.fromEntries(dependentsOf(nodes)), { a: ['b', 'c'], b: ['c'], c: [] });
});

test('a status tells what dependents may count on', (t) => {
  const status: ServiceStatus = { name: 'a', phase: 'starting', restarts: 0, since: 0 };
  t.deepEqual(conditionsMet(status), []);
  t.deepEqual(conditionsMet({ ...status, pid: 7 }), ['started']);
  t.deepEqual(conditionsMet({ ...status, pid: 7, reachableAt: 1 }), ['started', 'reachable']);
  t.deepEqual(conditionsMet({ ...status, pid: 7, phase: 'ready' }), ['started', 'ready']);
  t.deepEqual(conditionsMet({ ...status, phase: 'completed' }), ['started', 'ready', 'completed']);
  t.deepEqual(conditionsMet({ ...status, phase: 'backoff' }), []);
});
