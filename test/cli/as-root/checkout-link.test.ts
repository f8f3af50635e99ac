import { mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { linkKubeconfig, unlinkKubeconfig } from '#src/cli/as-root/checkout-link.js';
import { temporary } from '../../temporary.js';

test('links the kubeconfig of the cluster started last, and removes the link with that cluster', async (t) => {
  const checkout = await temporary(t);
  const link = join(checkout, 'config', 'localhost.kubeconfig');
  await mkdir(join(checkout, 'config'));

  await linkKubeconfig(checkout, '/a/admin.kubeconfig');
  await linkKubeconfig(checkout, '/b/admin.kubeconfig');
  t.is(await readlink(link), '/b/admin.kubeconfig');
  await unlinkKubeconfig(checkout, '/a/admin.kubeconfig');
  t.is(await readlink(link), '/b/admin.kubeconfig');
  await unlinkKubeconfig(checkout, '/b/admin.kubeconfig');
  t.deepEqual(await readdir(join(checkout, 'config')), []);
});

test('a checkout that cannot be written goes without', async (t) => {
  await t.notThrowsAsync(linkKubeconfig('/proc/none', '/a/admin.kubeconfig'));
  await t.notThrowsAsync(unlinkKubeconfig('/proc/none', '/a/admin.kubeconfig'));
});
