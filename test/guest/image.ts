import { copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ensureArtifacts } from '#src/artifacts/resolve.js';
import { installLauncher } from '#src/cli/as-root/launcher-copy.js';
import { artifactsOf } from '#src/plan/artifacts.js';
import { writeImage } from '#src/images/oci-layout.js';
import { run, runOk } from '#src/lib/exec.js';
import { cached, debianRelease, debianSources } from '../debian.js';
import { preparedContext } from '../fixtures/images/artifacts.js';
import { files, links, mmdebstrapArgs, recipeKey, setUpScript } from './recipe.js';

/** The parts of the guest that are the same in each run; paths of files. */
export type GuestImage = { kernel: string; initrd: string; disk: string; sshKey: string; busybox: string };

/** Sparse: doctor wants some room, what is not written takes none. */
const diskSize = '24G';

/** Takes the image from the cache, or makes it: two or three minutes, most of them for downloads. */
export async function ensureGuestImage(signal: AbortSignal): Promise<GuestImage> {
  const folder = await cached('guest', recipeKey(), build, signal);
  const part = (name: string): string => join(folder, name);
  return {
    kernel: part('vmlinuz'),
    initrd: part('initrd'),
    disk: part('disk'),
    sshKey: part('ssh-key'),
    busybox: part('busybox'),
  };
}

async function build(folder: string): Promise<void> {
  const root = join(folder, 'root');
  const sources = join(folder, 'sources.list');
  await writeFile(sources, await debianSources());
  // Debian's own initrd loads all there is: slow to make, and slow to boot without hardware.
  const env = { ...process.env, INITRD: 'No' };
  // In a mount namespace, so that nothing stays mounted below when it is killed.
  const build = ['--mount', 'mmdebstrap', ...mmdebstrapArgs, await debianRelease(), root, sources];
  await runOk('unshare', build, { env });

  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  for (const [path, target] of Object.entries(links)) await symlink(target, join(root, path));
  await runOk('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'ssh-key')]);
  await copyFile(join(folder, 'ssh-key.pub'), join(root, 'etc/ssh/authorized_keys'));
  await runOk('chroot', [root, 'sh', '-eu', '-c', setUpScript]);

  for (const name of ['boot/vmlinuz', 'boot/initrd', 'bin/busybox']) {
    await copyFile(join(root, name), join(folder, name.split('/').at(-1) ?? ''));
  }
  await makeDisk(root, join(folder, 'disk'), diskSize);
  await rm(root, { recursive: true });
}

/** What changes: this checkout, this Node.js, the prepared account's binaries and an image for pods, as a disk. */
export async function makePayload(scratch: string, busybox: string, signal: AbortSignal): Promise<string> {
  const payload = join(scratch, 'payload');
  await mkdir(payload, { mode: 0o755 });
  await copyFile(process.execPath, join(payload, 'node'));
  const copy = await installLauncher(
    process.cwd(),
    join(scratch, 'launcher'),
    ([command = '', ...args]) => ({ command, args, env: { PATH: process.env.PATH ?? '' } }),
    () => Promise.resolve(),
  );
  await rename(copy, join(payload, 'u7s'));

  const context = await preparedContext();
  const wanted = artifactsOf({ runtime: 'containerd', kubernetes: true, severalNodes: false });
  for (const { directory } of (await ensureArtifacts(wanted, context)).values()) {
    const target = join(payload, 'artifacts', relative(context.store, directory));
    await mkdir(dirname(target), { recursive: true });
    await runOk('cp', ['-a', directory, target]);
  }
  const rootfs = { files: [{ path: '/busybox', mode: 0o755, content: { fromFile: busybox } }] };
  const spec = { reference: 'localhost/busybox:1', architecture: 'amd64', rootfs } as const;
  await writeImage(spec, join(payload, 'busybox.tar'), signal);

  await runOk('chmod', ['-R', 'a+rX', payload]);
  await runOk('chown', ['-R', '0:0', payload]);
  const disk = join(scratch, 'payload.disk');
  await makeDisk(payload, disk, '2G');
  await rm(payload, { recursive: true });
  return disk;
}

async function makeDisk(folder: string, disk: string, size: string): Promise<void> {
  await runOk('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', folder, disk, size]);
}

/** By program: the Debian package that brings it. */
const programs = {
  mmdebstrap: 'mmdebstrap',
  'qemu-system-x86_64': 'qemu-system-x86',
  mke2fs: 'e2fsprogs',
  ssh: 'openssh-client',
};

/** Installs what building and running the guest takes, where it is missing. */
export async function installPrograms(): Promise<void> {
  const found = await Promise.all(
    Object.entries(programs).map(async ([program, name]) => {
      const { exitCode } = await run('sh', ['-c', `command -v ${program}`]);
      return exitCode === 0 ? [] : [name];
    }),
  );
  const missing = found.flat();
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runOk('apt-get', ['update'], { env });
  await runOk('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { env });
}
