import { join } from 'node:path';
import { loadAddons } from '#src/kube/addons.js';
import type { KubeObject } from '#src/kube/object.js';
import { addonNames } from '#src/settings/addon-names.js';
import { features } from '#src/settings/features.js';
import { certificateTable, workerCertificates, type CertificateSpec } from '#src/pki/certificates.js';

type Rule = {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
};
type Subject = { kind: 'User' | 'Group' | 'ServiceAccount'; name: string; namespace?: string };
type Role = KubeObject & { rules?: Rule[] };
type Binding = KubeObject & { roleRef: { kind: string; name: string }; subjects?: Subject[] };
type Policy = KubeObject & {
  spec: { matchConditions?: { expression: string }[]; validations: { message?: string }[] };
};

/** Somebody whom the API server knows, and what becomes of that. */
export type Rights = { identity: string; holders: string[]; rights: string[]; limits: string[] };

const node = 'NODE';

/** Every identity that our manifests or certificates make, in the order of their names. */
export async function identitiesAndRights(root: string): Promise<Rights[]> {
  const folder = join(root, 'config/manifests');
  const anything = new Proxy({}, { get: () => 'x' });
  const objects = [
    ...(await loadAddons(folder, anything)),
    ...(await loadAddons(join(folder, 'nodes'), anything)),
    ...(
      await Promise.all(addonNames.map((name) => loadAddons(join(root, 'config/addons', name), anything)))
    ).flat(),
    ...(await Promise.all(features.map((name) => loadAddons(join(folder, name), anything)))).flat(),
  ];
  const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding')) as Binding[];
  const roles = objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole') as Role[];
  const policies = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy') as Policy[];

  const rightsOf = (names: readonly string[]): string[] =>
    bindings
      .filter(({ subjects = [] }) => subjects.some((subject) => names.includes(nameOf(subject))))
      .flatMap(({ kind, metadata, roleRef }) => {
        const place = kind === 'RoleBinding' ? ` in ${metadata.namespace ?? 'default'}` : '';
        const role = roles.find(
          ({ kind, metadata }) => kind === roleRef.kind && metadata.name === roleRef.name,
        );
        return role === undefined
          ? [`what Kubernetes’ role \`${roleRef.name}\` says${place}`]
          : (role.rules ?? []).map((rule) => `${ruleText(rule)}${place}`);
      });
  const limitsOf = (names: readonly string[]): string[] =>
    policies
      .filter(({ spec }) =>
        (spec.matchConditions ?? []).some(({ expression }) =>
          names.some((name) => expression.includes(`'${name}'`)),
        ),
      )
      .flatMap(({ spec }) => spec.validations.flatMap(({ message }) => message ?? []));

  const held = certificates().map(({ place, spec }) => ({
    names: [spec.commonName, ...(spec.organization === undefined ? [] : [spec.organization])],
    holder: `\`${spec.name}.crt\` of ${place}`,
  }));
  const bound = bindings
    .flatMap(({ subjects = [] }) => subjects.map(nameOf))
    .filter((name) => !held.some(({ names }) => names.includes(name)))
    .map((name) => ({ names: [name], holder: otherHolder(name) }));

  const found = new Map<string, Rights>();
  for (const { names, holder } of [...held, ...bound]) {
    const identity = names.map((name) => `\`${name}\``).join(', of ');
    const own = rightsOf(names);
    const entry = found.get(identity) ?? {
      identity,
      holders: [],
      rights: [...builtIn(names), ...own],
      limits: limitsOf(names),
    };
    if (!entry.holders.includes(holder)) entry.holders.push(holder);
    found.set(identity, entry);
  }
  return [...found.values()].sort((a, b) => (a.identity < b.identity ? -1 : 1));
}

/** The client certificates that the API server takes, with the nodes that have them. */
function certificates(): { place: string; spec: CertificateSpec }[] {
  const controlPlane = certificateTable({
    nodeName: node,
    nodeAddress: '10.0.2.100',
    serviceAddress: '10.0.0.1',
    dnsDomain: 'cluster.local',
    apiAddress: '192.0.2.1',
    hostIp: '192.0.2.1',
  });
  return [
    ...controlPlane.map((spec) => ({ place: 'the control plane', spec })),
    ...workerCertificates(node, '192.0.2.2').map((spec) => ({ place: 'each joined node', spec })),
  ].filter(({ spec }) => spec.authority === 'ca' && spec.usage !== 'server');
}

/** What Kubernetes gives by itself to names that it knows. */
function builtIn(names: readonly string[]): string[] {
  if (names.includes('system:masters')) return ['everything'];
  if (names.includes('system:nodes')) return ['what the Node authorizer and NodeRestriction leave to a node'];
  const [name = ''] = names;
  const roles: Record<string, string> = { 'system:kube-proxy': 'system:node-proxier' };
  return /^system:kube-/.test(name) ? [`what Kubernetes’ role \`${roles[name] ?? name}\` says`] : [];
}

function otherHolder(name: string): string {
  if (name.startsWith('system:bootstrappers:')) return 'whoever has a token, before joining';
  if (name.startsWith('system:serviceaccount:')) return 'its pods';
  return 'nobody by a certificate of ours';
}

function nameOf({ kind, name, namespace }: Subject): string {
  return kind === 'ServiceAccount' ? `system:serviceaccount:${namespace ?? 'default'}:${name}` : name;
}

function ruleText({
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
  verbs,
}: Rule): string {
  // Its resources have the names of others.
  const group = apiGroups.includes('metrics.k8s.io') ? ' of metrics.k8s.io' : '';
  const named = resourceNames.length === 0 ? '' : ` (${resourceNames.join(', ')})`;
  return `${verbs.join(', ')}: ${[...resources, ...nonResourceURLs].join(', ')}${group}${named}`;
}
