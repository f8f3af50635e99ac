import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { linkEntries } from '#src/rootless/host-paths.js';
import { temporary } from '../temporary.js';

async function folders(t: ExecutionContext): Promise<{ host: string; node: string }> {
  const folder = await temporary(t);
  const [host, node] = [join(folder, 'host'), join(folder, 'node')];
  await Promise.all([host, node].map((path) => mkdir(path)));
  return { host, node };
}

test('what the host has is found, and what pods have written stays theirs', async (t) => {
  const { host, node } = await folders(t);
  await Promise.all(['tools', 'data'].map((name) => mkdir(join(host, name))));
  await mkdir(join(node, 'data'));
  await writeFile(join(node, 'data', 'file'), 'written by a pod');
  await linkEntries(host, node, []);
  t.is(await readlink(join(node, 'tools')), join(host, 'tools'));
  t.is(await readFile(join(node, 'data', 'file'), 'utf8'), 'written by a pod');
});

test('a link follows what comes and goes on the host; links of pods are left alone', async (t) => {
  const { host, node } = await folders(t);
  await mkdir(join(host, 'gone'));
  await symlink('/elsewhere', join(node, 'of-a-pod'));
  await linkEntries(host, node, []);
  await rm(join(host, 'gone'), { recursive: true });
  await mkdir(join(host, 'new'));
  await linkEntries(host, node, []);
  t.deepEqual((await readdir(node)).sort(), ['new', 'of-a-pod']);
});

test('a name of the node itself leads nowhere else, also when a pod has put something there', async (t) => {
  const { host, node } = await folders(t);
  await mkdir(join(host, 'kubelet'));
  await symlink('/etc', join(node, 'cni'));
  await mkdir(join(node, 'containerd'));
  await linkEntries(host, node, ['kubelet', 'cni', 'containerd']);
  t.deepEqual(await readdir(node), ['containerd']);
});
