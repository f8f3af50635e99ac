import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { access, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { create } from 'tar';
import { containerdStore, importMissingCommand, type ContainerdStore } from '#src/images/containerd-store.js';
import { importImages, listImages, type Node } from '#src/images/node-images.js';
import { writeImage } from '#src/images/oci-layout.js';
import { pauseProgram } from '#src/images/pause.js';
import { runOk } from '#src/lib/exec.js';
import { nsenterArgs } from '#src/rootless/nsenter.js';
import { architecture, binariesOf } from '../fixtures/images/artifacts.js';

const { signal } = new AbortController();
const reference = 'localhost/pause:test';

let programs: string;

// Root of a test's namespace may not enter the prepared account's home. All are copied before anything is spawned: a
// program that a child still holds open for writing is busy.
test.before(async () => {
  programs = await mkdtemp(join(tmpdir(), 'u7s-programs-'));
  const installed = await binariesOf('containerd');
  for (const name of ['containerd', 'ctr']) await copyFile(installed[name] ?? '', join(programs, name));
});

test.after.always(() => rm(programs, { recursive: true }));

test('an image made here is loaded into the node, plain or gzipped', async (t) => {
  const { node, containerd, folder } = await startContainerd(t);
  const { ctr, socket } = containerd;
  const archive = join(folder, 'image.tar');
  const { digest } = await pauseImage(archive);
  await writeFile(`${archive}.gz`, gzipSync(await readFile(archive)));
  for (const file of [archive, `${archive}.gz`]) {
    t.deepEqual(await importImages(node, createReadStream(file) as AsyncIterable<Buffer>, file, signal), [
      reference,
    ]);
    const images = await listImages(node, signal);
    t.deepEqual(
      images.map((image) => [image.reference, image.digest]),
      [[reference, digest]],
    );
    await runOk(...inside(node, [ctr, '-a', socket, '-n', 'k8s.io', 'images', 'rm', '--sync', reference]));
  }
});

test('the bundled images are imported and unpacked when they are missing or others', async (t) => {
  const { node, containerd, folder } = await startContainerd(t);
  const archive = join(folder, 'image.tar');
  for (const label of ['old', 'new']) {
    const { digest } = await pauseImage(archive, label);
    const { command, args } = importMissingCommand(containerd, 'native', [{ reference, archive, digest }]);
    t.regex(await runOk(...inside(node, [command, ...args])), /^unpacking localhost\/pause:test .*done/);
    t.is(await runOk(...inside(node, [command, ...args])), '', 'not again');
    t.is((await listImages(node, signal))[0]?.digest, digest);
  }
});

test('what is no image archive is refused by name', async (t) => {
  const { node, folder } = await startContainerd(t);
  const rootfs = join(folder, 'rootfs.tar');
  await create({ file: rootfs, cwd: folder }, ['config.toml']);
  const load = (file: string) =>
    importImages(node, createReadStream(file) as AsyncIterable<Buffer>, file, signal);
  await t.throwsAsync(load(rootfs), { code: 'archive-invalid', message: RegExp(rootfs) });
  const text = join(folder, 'config.toml');
  await t.throwsAsync(load(text), { code: 'archive-invalid', message: RegExp(text) });
  t.deepEqual(await listImages(node, signal), []);
});

function pauseImage(archive: string, label = 'test') {
  const files = [{ path: '/pause', mode: 0o755, content: pauseProgram(architecture) }];
  const spec = {
    reference,
    architecture,
    rootfs: { files },
    entrypoint: ['/pause'],
    labels: { label },
  } as const;
  return writeImage({ ...spec, entrypoint: ['/pause'] }, archive, signal);
}

/** containerd without Kubernetes' parts, in namespaces like a node's. */
async function startContainerd(
  t: ExecutionContext,
): Promise<{ node: Node; containerd: ContainerdStore; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'u7s-containerd-'));
  const socket = join(folder, 'containerd.sock');
  const ctr = join(programs, 'ctr');
  const config = join(folder, 'config.toml');
  await writeFile(
    config,
    `version = 3
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[debug]
  level = "error"
[grpc]
  address = "${socket}"
`,
  );
  const namespaces = [
    '--user',
    '--map-root-user',
    '--mount',
    '--net',
    '--pid',
    '--ipc',
    '--uts',
    '--cgroup',
    '--fork',
  ];
  const unshare = spawn(
    'unshare',
    [...namespaces, '--kill-child', join(programs, 'containerd'), '--config', config],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const exit = once(unshare, 'exit');
  t.teardown(async () => {
    unshare.kill('SIGKILL');
    await exit;
    await rm(folder, { recursive: true });
  });
  const ready = () =>
    access(socket).then(
      () => true,
      () => false,
    );
  while (!(await ready())) {
    if (unshare.exitCode !== null) throw new Error(`containerd ended with ${unshare.exitCode}`);
    await delay(5);
  }
  const children = await readFile(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8');
  const containerd = { ctr, socket, namespace: 'k8s.io' };
  return { node: { pid: Number(children.trim()), store: containerdStore(containerd) }, containerd, folder };
}

function inside(node: Node, command: string[]): [string, string[]] {
  return ['nsenter', nsenterArgs(node.pid, command)];
}
