import test from 'ava';
import { u7s } from '#src/lib/fixes.js';
import type { UsageError } from '#src/lib/errors.js';
import { fromEnvironment } from '#src/settings/environment.js';
import { memoryOf } from '#src/settings/remembered.js';
import { parseSettings } from '#src/settings/schema.js';

const labels = { disk: 'ssd', 'example.org/rack': 'r-1', empty: '' };

test('a node has the labels that it is given, and keeps them', (t) => {
  t.deepEqual(parseSettings({}).nodeLabels, {});
  const settings = parseSettings({ nodeLabels: labels });
  t.deepEqual(settings.nodeLabels, labels);
  t.deepEqual(memoryOf(settings).nodeLabels, labels);
});

test('a variable holds them all', (t) => {
  t.deepEqual(
    fromEnvironment({ U7S_NODE_LABELS: 'disk=ssd,example.org/rack=r-1,empty=' }).nodeLabels,
    labels,
  );
  t.throws(() => fromEnvironment({ U7S_NODE_LABELS: 'disk' }), { code: 'setting-invalid' });
});

const wrong: Record<string, string>[] = [
  { '-disk': 'ssd' },
  { disk: 'ssd/2' },
  { disk: 'a'.repeat(64) },
  { 'Example.org/rack': 'r1' },
  { 'a/b/c': 'd' },
  { disk: true as unknown as string },
];
for (const nodeLabels of wrong) {
  test(`${JSON.stringify(nodeLabels)} is no label`, (t) => {
    t.throws(() => parseSettings({ nodeLabels }), { code: 'setting-invalid', message: /nodeLabels/ });
  });
}

test('what NodeRestriction forbids a kubelet to set is refused, with the ways that there are', (t) => {
  for (const key of ['node-role.kubernetes.io/worker', 'kubernetes.io/hostname', 'x.k8s.io/y']) {
    const error = t.throws<UsageError>(() => parseSettings({ nodeLabels: { [key]: 'x' } }), {
      code: 'setting-invalid',
      message: /NodeRestriction forbids/,
    });
    t.deepEqual(error.fixes[1], {
      ...u7s(['kubectl', 'label', 'node', 'NAME', `${key}=x`]),
      text: 'or set it as an administrator after the node has joined',
    });
  }
});

test('what Kubernetes reserves for kubelets is theirs to set', (t) => {
  const nodeLabels = { 'node.kubernetes.io/instance-type': 'big', 'topology.kubernetes.io/zone': 'a' };
  t.deepEqual(parseSettings({ nodeLabels }).nodeLabels, nodeLabels);
});
