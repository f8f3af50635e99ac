import test from 'ava';
import { nodeServices } from '#src/plan/node-services.js';
import { runtimes } from '#src/runtimes/table.js';
import type { RuntimeContext } from '#src/runtimes/runtime.js';
import { startOrder } from '#src/supervisor/graph.js';
import { context } from '../services/context.js';

const servicesOf = (changes: Partial<RuntimeContext> = {}) =>
  nodeServices({ ...context, ...changes }, runtimes.crio);

function crioOf(changes?: Partial<RuntimeContext>) {
  const crio = servicesOf(changes).find(({ name }) => name === 'crio');
  const file = (path: string): string => crio?.files.find((each) => each.path === path)?.content ?? '';
  return { env: crio?.env ?? {}, file };
}

for (const name of ['crio', 'bundled-images']) {
  test(`${name}: command line, files and policies`, (t) => {
    t.snapshot(servicesOf().find((service) => service.name === name));
  });
}

test('the kubelet speaks to CRI-O, once the images are there; nothing is of containerd', (t) => {
  const services = servicesOf();
  const order = startOrder(services);
  t.true(order.indexOf('crio') < order.indexOf('bundled-images'));
  t.true(order.indexOf('bundled-images') < order.indexOf('kubelet'));
  t.true(JSON.stringify(services).includes('unix:///run/crio/crio.sock'));
  t.notRegex(JSON.stringify(services.filter(({ name }) => name !== 'crio')), /containerd\.sock/);
});

test('without delegated cgroups CRI-O asks for none, and calls runc directly', (t) => {
  const { env, file } = crioOf({ cgroups: 'none' });
  t.is(env['_CRIO_ROOTLESS'], '1');
  t.true(file('/etc/crio/crio.conf').includes('runtime_path = "/artifacts/runc"'));
});

test('with delegated cgroups pods have limits, and runc is not asked for an oom_score_adj that it cannot give', (t) => {
  const { env, file } = crioOf({ cgroups: 'delegated' });
  t.false('_CRIO_ROOTLESS' in env);
  t.true(file('/etc/crio/crio.conf').includes('runtime_path = "/etc/crio/runc-bounded-oom-score"'));
  t.regex(file('/etc/crio/runc-bounded-oom-score'), /^runc='\/artifacts\/runc'$/m);
});

test('where overlayfs cannot be used the storage mounts by fuse-overlayfs', (t) => {
  t.notRegex(crioOf().file('/etc/containers/storage.conf'), /mount_program/);
  t.regex(
    crioOf({ snapshotter: 'fuse-overlayfs' }).file('/etc/containers/storage.conf'),
    /mount_program = "\/artifacts\/fuse-overlayfs"/,
  );
});

test('every file is private to the user', (t) => {
  for (const { files } of servicesOf()) for (const file of files) t.is(file.mode & 0o077, 0, file.path);
});
