import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { clusterHome } from './cluster-home.js';
import { runCli } from './run-cli.js';

test('prints the kubeconfig, or where it is', async (t) => {
  const { env, state } = await clusterHome(t);
  const path = join(state, 'admin.kubeconfig');
  await writeFile(path, 'apiVersion: v1\n');
  t.is((await runCli(['kubeconfig'], env)).stdout, 'apiVersion: v1\n');
  t.is((await runCli(['kubeconfig', '--path'], env)).stdout, `${path}\n`);
});

test('--cluster chooses the cluster before and after the verb, and wins over U7S_CLUSTER', async (t) => {
  const { env } = await clusterHome(t);
  const asked = async (...argv: string[]) => (await runCli(argv, { ...env, U7S_CLUSTER: 'three' })).stderr;
  t.regex(await asked('--cluster', 'two', 'kubeconfig'), /usernetes\/two\/admin/);
  t.regex(await asked('kubeconfig', '--cluster=two'), /usernetes\/two\/admin/);
  t.regex(await asked('kubeconfig'), /usernetes\/three\/admin/);
});

test('a cluster that was never started: the error says how to', async (t) => {
  const { env } = await clusterHome(t);
  const { exitCode, stdout, stderr } = await runCli(['kubeconfig'], env);
  t.deepEqual([exitCode, stdout], [1, '']);
  t.regex(stderr, /^error\[never-started\]: .*\n {2}fix: .*run\.sh -d\n$/);
});
