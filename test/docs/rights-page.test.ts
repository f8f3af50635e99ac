import { readFile } from 'node:fs/promises';
import test from 'ava';
import { renderRightsPage, rightsPage } from './rights-page.js';
import { identitiesAndRights } from './rights.js';

test('the page on rights has every identity as manifests and certificates have it: npm run docs:rights', async (t) => {
  t.is(await readFile(rightsPage, 'utf8'), await renderRightsPage('.'));
});

test('a joined node writes nothing by a right of ours that a policy does not limit', async (t) => {
  const onNodes = (await identitiesAndRights('.')).filter(({ holders }) =>
    holders.some((holder) => holder.endsWith('each joined node')),
  );
  const unlimited = onNodes
    .filter(
      ({ rights, limits }) =>
        limits.length === 0 && rights.some((right) => /\b(create|update|patch|delete)\b/.test(right)),
    )
    .map(({ identity }) => identity);
  t.true(onNodes.length >= 3);
  // Requests for metrics.k8s.io pass no policy; build/metrics/server.go, whose tests show it, limits a node to its own.
  t.deepEqual(unlimited, ['`usernetes:metrics:NODE`, of `usernetes:metrics`']);
});

test('only the administrator may do everything', async (t) => {
  const all = (await identitiesAndRights('.')).filter(({ rights }) =>
    rights.some((right) => right === 'everything' || /\*/.test(right)),
  );
  t.deepEqual(
    all.map(({ identity }) => identity),
    ['`kubernetes-admin`, of `system:masters`'],
  );
});
