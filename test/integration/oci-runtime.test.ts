import { chmod, chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pauseProgram } from '#src/images/pause.js';
import { run } from '#src/lib/exec.js';
import { renderRuntimeWrapper } from '#src/runtimes/runc-without-cgroups.js';
import { architecture, binariesOf } from '../fixtures/images/artifacts.js';
import { temporary } from '../temporary.js';

const nobody = 65534;

/** What containerd asks for a container with limits, shortened. */
const config = {
  ociVersion: '1.2.0',
  process: { user: { uid: 0, gid: 0 }, args: ['/pause'], cwd: '/', noNewPrivileges: true },
  root: { path: 'rootfs', readonly: true },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    },
  ],
  linux: {
    resources: {
      devices: [{ allow: false, access: 'rwm' }],
      memory: { limit: 67_108_864 },
      cpu: { shares: 102, quota: 50_000, period: 100_000 },
      pids: { limit: 100 },
    },
    cgroupsPath: '/k8s.io/pod/container',
    namespaces: ['pid', 'ipc', 'uts', 'mount', 'network', 'cgroup'].map((type) => ({ type })),
  },
};

/** The life of a container, as an unprivileged user who is root in namespaces of their own but owns no cgroup. */
const life = `
  runc() { "$RUNTIME" --root "$PWD/state" "$@"; }
  runc create --bundle "$PWD/a bundle" c < /dev/null > output 2>&1 || { cat output; exit 1; }
  runc start c && runc exec -d c /pause < /dev/null > /dev/null 2>&1 && runc kill c TERM || exit 2
  while runc state c | grep -q '"running"'; do :; done
  runc delete c || exit 3`;

test('runc alone refuses to create a container with limits', async (t) => {
  const { runtime, live } = await prepare(t);
  const { exitCode, stdout } = await live(runtime);
  t.is(exitCode, 1);
  t.regex(stdout, /cgroup/);
});

test('with the wrapper the same container is created, started, entered, killed and deleted', async (t) => {
  const { runtime, live, folder } = await prepare(t);
  const wrapper = join(folder, 'wrapper');
  await writeFile(wrapper, renderRuntimeWrapper(runtime));
  await chmod(wrapper, 0o755);
  t.deepEqual(await live(wrapper), { exitCode: 0, stdout: '', stderr: '' });
  t.deepEqual(await readdir(join(folder, 'state')), []);
});

async function prepare(t: ExecutionContext) {
  const folder = await temporary(t);
  const isRoot = process.getuid?.() === 0;
  const bundle = join(folder, 'a bundle');
  const rootfs = join(bundle, 'rootfs');
  for (const path of ['dev', 'proc', 'sys']) await mkdir(join(rootfs, path), { recursive: true });
  await mkdir(join(folder, 'state'));
  await writeFile(join(rootfs, 'pause'), pauseProgram(architecture), { mode: 0o755 });
  await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
  // A copy, since not everybody may look into the home that it lies in.
  const runtime = join(folder, 'runc');
  await copyFile((await binariesOf('runc'))['runc'] ?? '', runtime);
  if (isRoot)
    for (const path of [folder, join(folder, 'state'), bundle, join(bundle, 'config.json')])
      await chown(path, nobody, nobody);

  const demote = isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : ['env'];
  const unshare = [
    'unshare',
    '--user',
    '--map-root-user',
    '--mount',
    '--pid',
    '--ipc',
    '--cgroup',
    '--fork',
    '--mount-proc',
  ];
  const [command = '', ...args] = [...demote, ...unshare, 'sh', '-c', life];
  const live = (program: string) =>
    run(command, args, { cwd: folder, env: { PATH: process.env['PATH'], RUNTIME: program } });
  return { folder, runtime, live };
}
