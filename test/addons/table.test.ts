import { readdirSync } from 'node:fs';
import test from 'ava';
import { addonNamed, addons } from '#src/addons/table.js';
import { loadAddons } from '#src/kube/addons.js';
import { addonNames } from '#src/settings/addon-names.js';

test('an add-on that is not there is refused, with the one that was meant', (t) => {
  const error = t.throws(() => addonNamed('ingres'), { code: 'no-such-addon' });
  t.true(JSON.stringify(error).includes('ingress'));
});

test('each add-on has a folder of manifests, and a Deployment of its image in a namespace of its own', async (t) => {
  t.deepEqual(readdirSync('config/addons').sort(), [...addonNames].sort());
  for (const name of addonNames) {
    const { namespace, deployment, imagePlaceholder } = addons[name];
    const values = { [imagePlaceholder]: 'localhost/image:1', NODE_NAME: 'node1' };
    const objects = await loadAddons(`config/addons/${name}`, values);
    const kinds = objects.filter(({ metadata }) => metadata.name === namespace).map(({ kind }) => kind);
    t.deepEqual(kinds, ['Namespace']);
    const found = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === deployment);
    t.is(found?.metadata.namespace, namespace);
    const { containers, securityContext } = podOf(found);
    t.is(securityContext.runAsNonRoot, true);
    for (const { image, imagePullPolicy, securityContext } of containers) {
      t.deepEqual([image, imagePullPolicy], ['localhost/image:1', 'Never']);
      t.like(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
    }
  }
});

test('Traefik may change nothing but the status of what it serves', async (t) => {
  const objects = await loadAddons('config/addons/ingress', { TRAEFIK_IMAGE: 'x', NODE_NAME: 'n' });
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole');
  const rules = roles.flatMap(({ rules }) => rules as { resources: string[]; verbs: string[] }[]);
  t.true(rules.length > 0);
  for (const { resources, verbs } of rules) {
    if (verbs.some((verb) => !['list', 'watch'].includes(verb)))
      t.true(
        resources.every((resource) => resource.endsWith('/status')),
        resources.join(),
      );
  }
});

type Security = Record<string, unknown>;
type PodSpec = {
  securityContext: Security;
  containers: { image: string; imagePullPolicy: string; securityContext: Security }[];
};

function podOf(deployment: unknown): PodSpec {
  return (deployment as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
}
