import test from 'ava';
import { expiryWarnings, pressureWarnings, statusText } from '#src/cli/status/status-text.js';
import { isWhole, type StatusReport } from '#src/instance/status.js';

const now = Date.UTC(2026, 10, 23, 12);
const minutes = (count: number): number => now - count * 60_000;
const inDays = (days: number): string => new Date(now + days * 24 * 3_600_000).toISOString();

const report: StatusReport = {
  cluster: 'default',
  phase: 'running',
  startedAt: minutes(5),
  readyAt: minutes(5),
  launcherPid: 10,
  preset: 'default-containerd',
  nodeName: 'u7s-host',
  apiServer: 'https://127.0.0.1:6443',
  cgroups: 'none',
  rebuilds: 1,
  lastRebuild: 'slirp4netns ended',
  services: [
    {
      name: 'etcd',
      phase: 'ready',
      pid: 40,
      hostPid: 4711,
      cpu: 1.25,
      memory: 60 * 2 ** 20,
      restarts: 1,
      since: minutes(3),
      startedAt: minutes(3),
      readyAt: minutes(3),
      lastExit: 'not alive: no answer within 10000 ms',
    },
    { name: 'bundled-images', phase: 'completed', restarts: 0, since: minutes(4), lastExit: 'exit code 0' },
  ],
  node: { name: 'u7s-host', ready: true, version: 'v1.36.3' },
  ports: [
    {
      spec: { proto: 'tcp', parentIP: '127.0.0.1', parentPort: 6443, childPort: 6443 },
      owner: 'api-server',
    },
  ],
  certificates: { ca: inDays(3650), admin: inDays(365), kubelet: inDays(364.5) },
};

test('for a person', (t) => t.snapshot(statusText(report, now, false)));

test('wide', (t) => t.snapshot(statusText(report, now, true)));

test('a node that is not Ready says why', (t) => {
  const node = { name: 'u7s-host', ready: false, problem: 'PLEG is not healthy' };
  t.regex(statusText({ ...report, node }, now, false), /u7s-host NotReady: PLEG is not healthy/);
  t.false(isWhole({ phase: 'running', node }));
  t.true(isWhole(report));
  for (const phase of ['starting', 'degraded', 'rebuilding', 'stopping'] as const)
    t.false(isWhole({ ...report, phase }));
});

test('a node without room says so, and is not as it should be', (t) => {
  const node = { name: 'u7s-host', ready: true, pressure: ['DiskPressure' as const] };
  t.regex(statusText({ ...report, node }, now, false), /u7s-host Ready, DiskPressure/);
  t.false(isWhole({ phase: 'running', node }));
  t.like(pressureWarnings({ node }), [{ code: 'node-pressure' }]);
  t.deepEqual(pressureWarnings(report), []);
});

const warned = (certificates: Record<string, string>, role: StatusReport['role'] = 'control-plane') =>
  expiryWarnings({ certificates, role }, now);

test('certificates that end within three weeks are warned of', (t) => {
  t.deepEqual(warned(report.certificates), []);
  const [warning, ...others] = warned({ ...report.certificates, admin: inDays(20.5) });
  t.regex(warning?.text ?? '', /: admin in 20 days$/);
  t.is(warning?.code, 'certificates-expire');
  t.deepEqual(warning?.fixes, [{ text: 'renew them', commands: [['restart']] }]);
  t.deepEqual(others, []);
});

test('a certificate that has ended has no days left, and on a joined node cannot be renewed', (t) => {
  const certificates = { ca: inDays(3650), kubelet: inDays(-3 / 24), admin: inDays(0.001) };
  t.regex(warned(certificates)[0]?.text ?? '', /: kubelet ended 3 hours ago, admin in 1 minute$/);
  t.deepEqual(
    warned(certificates, 'worker')[0]?.fixes?.map((fix) => (typeof fix === 'string' ? fix : fix.commands)),
    [[['leave']], [['join-command']]],
  );
  const text = statusText({ ...report, certificates }, now, true);
  t.regex(text, /the first to end is kubelet, ended 3 hours ago/);
  t.regex(text, /^kubelet .* ended 3h ago$/m);
  t.notRegex(text, / -\d/);
});

test('what the API says of a node cannot command the terminal', (t) => {
  const node = { name: 'u7s-host', ready: false, problem: 'down\x1b[2J\nnode u7s-host Ready' };
  const text = statusText({ ...report, node }, now, false);
  t.true(text.includes('NotReady: down\\x1b[2J\\nnode u7s-host Ready'));
});
