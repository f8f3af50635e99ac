import test from 'ava';
import fc from 'fast-check';
import type { Claim } from '#src/rootless/claim.js';
import { formatPortSpec, portsConflict, type PortSpec, type PortStatus } from '#src/rootless/port-spec.js';
import { removal } from '#src/rootless/port-refusal.js';
import { keyOf, reconcile } from '#src/rootless/reconcile.js';

/** Few values, so that they meet often. */
const spec: fc.Arbitrary<PortSpec> = fc.record({
  proto: fc.constantFrom('tcp', 'udp', 'tcp4'),
  parentIP: fc.constantFrom('127.0.0.1', '192.0.2.1', '0.0.0.0'),
  parentPort: fc.integer({ min: 8000, max: 8003 }),
  childIP: fc.constantFrom('10.0.2.100', '10.0.0.9'),
  childPort: fc.integer({ min: 1, max: 2 }),
});
const claim: fc.Arbitrary<Claim> = fc
  .tuple(spec, fc.integer({ min: 1, max: 5 }), fc.boolean())
  .map(([wanted, number, impossible]) => ({
    owner: { kind: 'Service', namespace: 'default', name: `s${number}`, uid: `${number}` },
    asked: { field: 'port', port: wanted.parentPort },
    spec: wanted,
    ...(impossible && number === 5
      ? { problem: { code: 'port-test', fixes: [], reason: 'impossible' } }
      : {}),
  }));
const claims = fc.array(claim, { maxLength: 8 });

/** What RootlessKit and the kernel would accept: no two that conflict. */
const published = fc
  .array(spec, { maxLength: 6 })
  .map((specs) =>
    specs
      .filter((one, index) => !specs.slice(0, index).some((other) => portsConflict(one, other)))
      .map((one, index): PortStatus => ({ id: index + 1, spec: one })),
  );
/** Any state: ports of which some are ours. */
const state = fc.tuple(published, fc.array(fc.integer({ min: 1, max: 6 }))).map(([actual, ids]) => ({
  actual,
  ours: new Set(actual.map(({ id }) => id).filter((id) => ids.includes(id))),
}));

type State = { actual: PortStatus[]; ours: Set<number> };

/** Carries a plan out as RootlessKit does. */
function apply({ actual, ours }: State, wanted: readonly Claim[]): State {
  const plan = reconcile(wanted, actual, ours);
  const left = actual.filter(({ id }) => !plan.remove.includes(id));
  // RootlessKit gives no ID twice.
  const last = Math.max(0, ...actual.map(({ id }) => id));
  const added = plan.add.map((one, index) => ({ id: last + 1 + index, spec: one }));
  return {
    actual: [...left, ...added],
    ours: new Set([...ours, ...added.map(({ id }) => id)].filter((id) => !plan.remove.includes(id))),
  };
}

const keys = (ports: readonly PortStatus[]): string[] => ports.map((port) => keyOf(port.spec)).sort();
const ofOurs = ({ actual, ours }: State): PortStatus[] => actual.filter(({ id }) => ours.has(id));
const ofOthers = ({ actual, ours }: State): PortStatus[] => actual.filter(({ id }) => !ours.has(id));

test('ports of others are never touched', (t) => {
  fc.assert(
    fc.property(state, claims, (before, wanted) => {
      t.deepEqual(ofOthers(apply(before, wanted)), ofOthers(before));
    }),
  );
});

test('what is published never conflicts, whatever is asked for', (t) => {
  fc.assert(
    fc.property(state, claims, (before, wanted) => {
      const { actual } = apply(before, wanted);
      for (const [index, one] of actual.entries())
        for (const other of actual.slice(index + 1)) t.false(portsConflict(one.spec, other.spec));
    }),
  );
});

test('every claim is published, or says why not', (t) => {
  fc.assert(
    fc.property(state, claims, (before, wanted) => {
      const { verdicts } = reconcile(wanted, before.actual, before.ours);
      const there = new Set(keys(apply(before, wanted).actual));
      t.deepEqual(
        verdicts.map((verdict) => verdict.claim),
        wanted,
      );
      for (const { claim, problem } of verdicts)
        t.is(problem === undefined, claim.problem === undefined && there.has(keyOf(claim.spec)));
    }),
  );
});

test('nothing is published that nobody asks for', (t) => {
  fc.assert(
    fc.property(state, claims, (before, wanted) => {
      const asked = new Set(wanted.map((one) => keyOf(one.spec)));
      t.true(ofOurs(apply(before, wanted)).every((port) => asked.has(keyOf(port.spec))));
    }),
  );
});

test('a second time there is nothing to do', (t) => {
  fc.assert(
    fc.property(state, claims, (before, wanted) => {
      const after = apply(before, wanted);
      t.like(reconcile(wanted, after.actual, after.ours), { remove: [], add: [] });
    }),
  );
});

test('the end does not depend on what was published before: a restart ends in the same ports', (t) => {
  fc.assert(
    fc.property(state, claims, claims, (before, earlier, wanted) => {
      const fresh: State = { actual: ofOthers(before), ours: new Set() };
      t.deepEqual(keys(ofOurs(apply(apply(before, earlier), wanted))), keys(ofOurs(apply(fresh, wanted))));
    }),
  );
});

test('when nothing is asked for any more, nothing of ours is left', (t) => {
  fc.assert(
    fc.property(state, claims, (before, wanted) => {
      t.deepEqual(ofOurs(apply(apply(before, wanted), [])), []);
    }),
  );
});

const claimOf = (name: string, wanted: PortSpec): Claim => ({
  owner: { kind: 'Service', namespace: 'default', name, uid: name },
  asked: { field: 'port', port: wanted.parentPort },
  spec: wanted,
});
const at = (childPort: number, parentIP = '127.0.0.1'): PortSpec => ({
  proto: 'tcp',
  parentIP,
  parentPort: 8080,
  childIP: '10.0.2.100',
  childPort,
});

test('of two that want a port the first gets it, and the other hears from whom', (t) => {
  const { add, verdicts } = reconcile([claimOf('a', at(1)), claimOf('b', at(2))], [], new Set());
  t.deepEqual(add.map(formatPortSpec), ['127.0.0.1:8080:10.0.2.100:1/tcp']);
  t.is(verdicts[0]?.problem, undefined);
  t.regex(verdicts[1]?.problem?.reason ?? '', /127\.0\.0\.1:8080\/tcp is published for Service default\/a/);
});

test('a wildcard of another is in the way, and its ID is named', (t) => {
  const { add, verdicts } = reconcile([claimOf('a', at(1))], [{ id: 7, spec: at(9, '') }], new Set());
  t.deepEqual(add, []);
  t.regex(verdicts[0]?.problem?.reason ?? '', /conflicts with a published port: ID 7/);
  t.deepEqual(verdicts[0]?.problem?.fixes, ['take another port', removal(7)]);
});

test('nobody is advised to end a port of the cluster itself', (t) => {
  const api = at(9, '');
  const { verdicts } = reconcile([claimOf('a', at(1))], [{ id: 1, spec: api }], new Set(), [api]);
  t.is(verdicts[0]?.problem?.code, 'port-conflict');
  t.deepEqual(verdicts[0]?.problem?.fixes, ['take another port']);
});

test('a Service that moves to another node port is published anew', (t) => {
  const { remove, add } = reconcile([claimOf('a', at(2))], [{ id: 3, spec: at(1) }], new Set([3]));
  t.deepEqual([remove, add], [[3], [at(2)]]);
});
