import { mkdir, rmdir } from 'node:fs/promises';
import test from 'ava';
import { needsRoot } from '../ordinary-user.js';
import { loadBusybox } from './pods.js';
import { anotherEngine, cutOffStop, dockerChecks, orderlyStop, sharedChecks } from './presets/docker.js';
import { cleanup, kubernetesChecks, type Check, type Preset } from './presets/kubernetes.js';
import { metricsChecks } from './presets/metrics.js';
import { policyChecks } from './presets/policies.js';
import { crioLacking, crioUp } from './presets/crio.js';
import { ok, sh } from './shell.js';

/** The same behaviour whatever the preset: each has a cluster of its own, one after another, and its checks build on one another. */
process.env['U7S_CLUSTER'] = 'presets';
process.env['U7S_API_PORT'] ??= '6571';
process.env['U7S_METRICS_RESOLUTION'] = '3';

type Row = Preset & {
  checks: Readonly<Record<string, Check>>;
  /** Further words for its first start. */
  up?: readonly string[];
  /** Why it cannot be tested here. */
  lacking?: string | undefined;
};

const rows: readonly Row[] = [
  {
    name: 'default-containerd',
    runtime: /^containerd:\/\/2\./,
    checks: { ...kubernetesChecks, ...metricsChecks, ...policyChecks, cleanup },
  },
  {
    name: 'default-docker',
    runtime: /^containerd:\/\/2\./,
    checks: {
      ...kubernetesChecks,
      ...metricsChecks,
      ...policyChecks,
      ...dockerChecks,
      ...sharedChecks,
      cleanup,
    },
  },
  {
    name: 'default-docker-nokube',
    runtime: /none/,
    checks: { ...dockerChecks, 'orderly stop': orderlyStop, 'cut-off stop': cutOffStop, cleanup },
  },
  {
    name: 'default-crio',
    runtime: /^cri-o:\/\/1\.36\./,
    checks: { ...kubernetesChecks, ...metricsChecks, ...policyChecks, cleanup },
    up: crioUp,
    lacking: await crioLacking(),
  },
];

const results = new Map<string, string>();
/** Where root's runc keeps its containers, on every host that has had some; nobody else may enter it. */
const containersOfRoot = '/run/runc';
let madeForRoot: string | undefined;

test.before('nothing is left of an earlier run', async (t) => {
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  for (const { name } of rows) await sh('bin/u7s.js', ['init-host', '--preset', name]);
  await sh('./cleanup.sh');
  if (needsRoot !== undefined) return;
  madeForRoot = await mkdir(containersOfRoot, { mode: 0o700, recursive: true });
});

for (const row of rows) {
  let up = false;
  if (row.lacking !== undefined) {
    for (const name of ['it starts', ...Object.keys(row.checks)])
      test.serial.skip(`${row.name}: ${name} (${row.lacking})`, () => undefined);
    continue;
  }
  test.serial(`${row.name}: it starts`, async (t) => {
    t.timeout(80 * 60_000, 'the binaries may have to be built');
    await timed(row, 'up', () => ok('./run.sh', [row.name, '-d', ...(row.up ?? [])]));
    up = true;
    await loadBusybox();
    t.pass();
  });
  for (const [name, check] of Object.entries(row.checks)) {
    test.serial(`${row.name}: ${name}`, async (t) => {
      if (!up) return t.fail('it did not start');
      await timed(row, name, () => check(t, row), t);
    });
  }
}

test.serial('the data of one preset is not handed to another, running or not', async (t) => {
  await ok('./run.sh', ['default-docker-nokube', '-d']);
  for (const state of ['running', 'stopped']) {
    const { exitCode, stderr } = await sh('./run.sh', ['default-containerd', '-d']);
    t.is(exitCode, 1, state);
    t.regex(stderr, /error\[setting-fixed\]: .*default-docker-nokube.*default-containerd/);
    t.regex(
      stderr,
      /fix: .*run\.sh --cluster NAME default-containerd\n {2}fix: .*u7s\.js --cluster presets reset/,
    );
    await ok('bin/u7s.js', ['down']);
  }
  const { exitCode, stderr } = await sh('./kubectl.sh', ['get', 'nodes']);
  t.is(exitCode, 1);
  t.regex(stderr, /error\[no-kubernetes\]/);
  await ok('./cleanup.sh');
});

test.serial("another engine's docker.sock is not taken from it", async (t) => {
  const { socket, end } = await anotherEngine();
  t.teardown(end);
  const { exitCode, stderr } = await sh('./run.sh', ['default-docker-nokube', '-d']);
  t.is(exitCode, 1);
  t.true(stderr.includes('error[host-not-ready]') && stderr.includes(socket), stderr);
});

test.after.always('the cluster is removed, and the table is shown', async (t) => {
  await sh('./cleanup.sh');
  if (madeForRoot !== undefined) await rmdir(madeForRoot);
  t.log(table());
});

async function timed(
  row: Row,
  name: string,
  work: () => Promise<unknown>,
  t?: { readonly passed: boolean },
): Promise<void> {
  const start = performance.now();
  const key = `${row.name} ${name}`;
  results.set(key, 'failed');
  await work();
  if (t?.passed !== false) results.set(key, `${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** Presets × checks, with the time that each took. */
function table(): string {
  const names = ['up', ...new Set(rows.flatMap(({ checks }) => Object.keys(checks)))];
  const header = ['check', ...rows.map(({ name }) => name)];
  const lines = names.map((name) => [name, ...rows.map((row) => results.get(`${row.name} ${name}`) ?? '-')]);
  return [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
