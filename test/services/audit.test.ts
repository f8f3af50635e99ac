import test from 'ava';
import { auditPolicy } from '#src/services/audit.js';
import { kubeApiserver } from '#src/services/kube-apiserver.js';
import type { SettingsInput } from '#src/settings/schema.js';
import { context, contextWith } from './context.js';

const auditFlags = (input: SettingsInput) =>
  kubeApiserver(contextWith(input)).args.filter((arg) => arg.startsWith('--audit-'));

type Rule = {
  level: string;
  verbs?: string[];
  users?: string[];
  userGroups?: string[];
  nonResourceURLs?: string[];
  resources?: { group: string; resources?: string[] }[];
};
const { rules } = auditPolicy('metadata') as { rules: Rule[] };

/** What the first rule that applies says. */
function levelOf(
  user: string,
  group: string,
  verb: string,
  resource: string,
  apiGroup = '',
): string | undefined {
  return rules.find(
    ({ verbs, users, userGroups, resources, nonResourceURLs }) =>
      nonResourceURLs === undefined &&
      (verbs?.includes(verb) ?? true) &&
      (users?.includes(user) ?? true) &&
      (userGroups?.includes(group) ?? true) &&
      (resources?.some((each) => each.group === apiGroup && (each.resources?.includes(resource) ?? true)) ??
        true),
  )?.level;
}

test('requests are recorded unless a setting says otherwise, in a log of their own that is rotated', (t) => {
  const flags = auditFlags({});
  t.true(flags.includes('--audit-log-path=/state/logs/audit.log'));
  for (const limit of ['maxage=30', 'maxbackup=10', 'maxsize=100'])
    t.true(flags.includes(`--audit-log-${limit}`));
  t.deepEqual(auditFlags({ auditLevel: 'none' }), []);
});

test('whoever reads a Secret is recorded, a component that looks at everything is not', (t) => {
  t.is(levelOf('system:kube-controller-manager', '', 'list', 'secrets'), 'Metadata');
  t.is(levelOf('system:node:a', 'system:nodes', 'get', 'secrets'), 'Metadata');
  t.is(levelOf('system:kube-scheduler', '', 'list', 'pods'), 'None');
  t.is(levelOf('jane', 'people', 'list', 'pods'), 'Metadata');
  t.is(levelOf('jane', 'people', 'create', 'pods/exec'), 'Metadata');
  t.is(levelOf('system:node:a', 'system:nodes', 'patch', 'nodes/status'), 'Metadata');
  t.is(levelOf('system:node:a', 'system:nodes', 'update', 'leases', 'coordination.k8s.io'), 'None');
});

test('contents are recorded only when asked for, and never those of Secrets', (t) => {
  const asked = auditPolicy('request') as { rules: Rule[] };
  const index = (match: (rule: Rule) => boolean): number => asked.rules.findIndex(match);
  const secrets = index(
    ({ resources }) => resources?.some((each) => each.resources?.includes('secrets')) ?? false,
  );
  const contents = index(({ level }) => level === 'Request');
  t.true(secrets >= 0 && secrets < contents);
  t.is(asked.rules[secrets]?.level, 'Metadata');
  t.false(rules.some(({ level }) => level.startsWith('Request')));
});

test('no server speaks less than TLS 1.3', (t) => {
  t.true(kubeApiserver(context).args.includes('--tls-min-version=VersionTLS13'));
});
