import { copyFile, cp, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ensureArtifacts } from '#src/artifacts/resolve.js';
import { installLauncher } from '#src/cli/as-root/launcher-copy.js';
import { artifactsOf } from '#src/plan/artifacts.js';
import { runOk } from '#src/lib/exec.js';
import { debianTarball } from '../debian.js';
import { preparedContext } from '../fixtures/images/artifacts.js';
import type { Engine } from './engine.js';

/** What the base has beside a minimal Debian: what init-host would install, as there is no network to get it by. */
const packages = [
  ...['uidmap', 'slirp4netns', 'iptables', 'iproute2', 'fuse-overlayfs', 'procps', 'mount', 'keyutils'],
  ...['conmon', 'skopeo', 'ca-certificates', 'libstdc++6'],
];
const baseImage = 'localhost/base';
/** As bare as images of other distributions: Fedora's has no find, and its newuidmap no privileges. */
const dockerfileOfBase = `FROM localhost/debian
COPY node /usr/local/bin/node
RUN mkdir -p /usr/local/lib/node_modules /usr/local/go && chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap && rm /usr/bin/find
`;

/**
 * Builds the image `usernetes` by the checkout's Dockerfile, on a base made of Debian packages, from this compilation and
 * the prepared user's binaries. Returns what the build said.
 */
export async function buildNodeImage(engine: Engine, scratch: string, signal: AbortSignal): Promise<string> {
  const tarball = await baseTarball(signal);
  await engine.ok('import', tarball, 'localhost/debian');
  const base = join(scratch, 'base');
  await mkdir(base);
  await copyFile(process.execPath, join(base, 'node'));
  await writeFile(join(base, 'Dockerfile'), dockerfileOfBase);
  await engine.ok('build', '-t', baseImage, base);

  const context = join(scratch, 'context');
  await makeContext(context, scratch);
  const images = ['BASE_IMAGE', 'NODE_IMAGE', 'GO_IMAGE'];
  const args = images.flatMap((name) => ['--build-arg', `${name}=${baseImage}`]);
  return engine.ok('build', ...args, '-t', 'usernetes', context);
}

/** A minimal Debian with no Node.js, Go, compiler or git. */
export const baseTarball = (signal: AbortSignal): Promise<string> =>
  debianTarball('node-image', packages, signal);

/** What a checkout has for the build, with all that takes long or a network brought ready. */
async function makeContext(context: string, scratch: string): Promise<void> {
  const ready = join(context, 'image/ready');
  await mkdir(ready, { recursive: true });
  for (const name of [
    'Dockerfile',
    '.dockerignore',
    'image/build.sh',
    'image/setup.sh',
    'image/entrypoint.sh',
  ])
    await cp(name, join(context, name));
  const launcher = await installLauncher(
    process.cwd(),
    join(scratch, 'launcher'),
    ([command = '', ...args]) => ({ command, args, env: { PATH: process.env.PATH ?? '' } }),
    () => Promise.resolve(),
  );
  await rename(launcher, join(ready, 'usernetes'));

  const prepared = await preparedContext();
  const wanted = (['containerd', 'docker'] as const).flatMap((runtime) =>
    artifactsOf({ runtime, kubernetes: true, severalNodes: true }),
  );
  for (const { directory } of (
    await ensureArtifacts([...new Set([...wanted, 'netcheck' as const])], prepared)
  ).values()) {
    const target = join(ready, 'artifacts', relative(prepared.store, directory));
    await mkdir(dirname(target), { recursive: true });
    await runOk('cp', ['-a', directory, target]);
  }
  const crio = process.env['U7S_TEST_CRIO'];
  if (crio === undefined) return;
  await mkdir(join(ready, 'bin'));
  for (const program of ['crio', 'pinns'])
    await copyFile(join(dirname(crio), program), join(ready, 'bin', program));
}
