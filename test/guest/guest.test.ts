import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createKubeClient, type KubeClient } from '#src/kube/client.js';
import type { KubeObject } from '#src/kube/object.js';
import { waitForObject } from '#src/kube/wait.js';
import { needsRoot } from '../ordinary-user.js';
import { ensureGuestImage, installPrograms, makePayload } from './image.js';
import { bootGuest, type Guest } from './machine.js';
import { payloadFolder } from './recipe.js';

/**
 * What only a host with systemd and nothing but cgroup v2 can show, on a machine of our own making. Everything in it is
 * slow, so it boots once and the tests build on one another, in this order.
 */
const user = 'alice';
/** On a machine that does nothing else no test takes more than ten minutes. */
const patience = 30 * 60_000;
const lacking = needsRoot ?? (process.arch === 'x64' ? undefined : 'takes amd64');
/**
 * What a time service tells the kernel once it knows the time, and this guest has no network to ask for: adjtimex(2) with
 * ADJ_STATUS and ADJ_MAXERROR, a status without STA_UNSYNC and no error.
 */
const clockIsTold = `perl -e '$told = pack("L x4 q4 l x164", 0x14, 0, 0, 0, 0, 0); exit(syscall(159, $told) < 0)'`;
let scratch: string;
let guest: Guest;
let api: KubeClient;

/** The start of a node takes ten minutes here, so a sample does without: U7S_GUEST is `all` or `sample`. */
const rest = process.env.U7S_GUEST === 'sample' ? 'with U7S_GUEST=all' : undefined;

function inGuest(title: string, work: (t: ExecutionContext) => Promise<void>, lack = lacking): void {
  if (lack !== undefined) return test.serial.skip(`${title} (${lack})`, () => undefined);
  test.serial(title, async (t) => {
    t.timeout(patience);
    await work(t);
  });
}

/** Takes a node, and is no part of a sample. */
function onNode(title: string, work: (t: ExecutionContext) => Promise<void>): void {
  inGuest(title, work, lacking ?? rest);
}

test.before('the guest boots', async (t) => {
  t.timeout(patience);
  if (lacking !== undefined) return;
  scratch = await mkdtemp(join(tmpdir(), 'u7s-guest-'));
  const signal = AbortSignal.timeout(patience);
  await installPrograms();
  const image = await ensureGuestImage(signal);
  guest = await bootGuest(image, await makePayload(scratch, image.busybox, signal), scratch);
});

test.after.always(async () => {
  await guest?.stop();
  if (scratch !== undefined) await rm(scratch, { recursive: true });
});

inGuest('init-host makes and prepares an ordinary user', async (t) => {
  await guest.ok('root', `u7s init-host --user ${user}`);
  const store = '.local/share/usernetes';
  await guest.ok(user, `mkdir -p ${store} && ln -s ${payloadFolder}/artifacts ${store}/`);
  t.is(await guest.ok(user, 'loginctl show-user --value -p Linger $USER'), 'yes');
});

inGuest('doctor finds nothing to mend', async (t) => {
  await guest.ok('root', clockIsTold);
  const checks = JSON.parse(await guest.ok(user, 'u7s doctor -o json')) as {
    status: string;
    found: string;
  }[];
  t.deepEqual(
    checks.filter(({ status }) => status !== 'ok'),
    [],
  );
  t.true(
    checks.some(({ found }) => /pod limits are on: .*cpu.* delegated by the user's systemd/.test(found)),
  );
});

onNode('up in a login, whose cgroup is not delegated, runs the node in one that is', async (t) => {
  t.regex(await guest.ok(user, 'cat /proc/self/cgroup'), /\/session-\d+\.scope$/);
  await guest.ok(user, 'u7s up default-containerd -d --timeout 25m');
  const { cgroups, launcherPid } = await status();
  t.is(cgroups, 'delegated');
  t.regex(await guest.ok(user, `cat /proc/${launcherPid}/cgroup`), /\/user@1000\.service\/.*\.scope/);
  api = await connect();
});

onNode('limits of a pod are those of its cgroup', async (t) => {
  await guest.ok(user, `u7s image load ${payloadFolder}/busybox.tar`);
  await api.apply(pod('limited', ['sleep', '1000000']), { fieldManager: 'test' });
  const { uid, id } = await containerOf('limited', ({ state }) => state.running !== undefined);
  t.deepEqual(await limitsOf(uid, id), { cpu: '42000 100000', memory: '44040192' });
});

onNode('a container that takes more memory than its limit is killed, and nothing else', async (t) => {
  const dd = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=80M', 'count=1'];
  await api.apply(pod('hog', dd, { restartPolicy: 'Never' }), { fieldManager: 'test' });
  const { state } = await containerOf('hog', (container) => container.state.terminated !== undefined);
  t.like(state.terminated, { reason: 'OOMKilled', exitCode: 137 });
  t.like(await containerOf('limited', () => true), { restartCount: 0 });
  const { phase, services } = await status();
  t.is(phase, 'running');
  t.deepEqual(
    services.filter(({ restarts }) => restarts > 0),
    [],
  );
});

onNode('all pods together are held to what the node can give', async (t) => {
  type Node = { status: { capacity: { memory: string } } };
  const { items } = await api.get<{ items: Node[] }>('/api/v1/nodes');
  const [, kibibytes] = /^(\d+)Ki$/.exec(items[0]?.status.capacity.memory ?? '') ?? [];
  const limit = await guest.ok('root', `cat $(find ${userCgroups} -type d -name kubepods)/memory.max`);
  t.is(Number(limit), Number(kibibytes) * 1024);
});

onNode('a node that is lost is built again in place of the old one, with limits', async (t) => {
  const { uid, id } = await containerOf('limited', () => true);
  await guest.ok(user, 'pkill -KILL -x rootlesskit');
  const again = await containerOf('limited', (each) => idOf(each) !== id && each.state.running !== undefined);
  t.deepEqual(await limitsOf(uid, again.id), { cpu: '42000 100000', memory: '44040192' });
  t.is((await guest.ok('root', `find ${userCgroups} -type d -name kubepods`)).split('\n').length, 1);
});

onNode('installed, the cluster comes back with the host, limits and all', async (t) => {
  const before = await clusterUid();
  const { uid, id } = await containerOf('limited', () => true);
  await guest.ok(user, 'u7s install -- --timeout 25m');
  await guest.reboot();
  // Joins the start that is under way, and waits for what systemd is told by sd_notify(3).
  await guest.ok(user, 'systemctl --user start usernetes');
  api = await connect();
  t.is(await clusterUid(), before);
  const again = await containerOf(
    'limited',
    (container) => idOf(container) !== id && container.state.running !== undefined,
  );
  t.is(again.uid, uid);
  t.deepEqual(await limitsOf(uid, again.id), { cpu: '42000 100000', memory: '44040192' });
  const { cgroups, launcherPid } = await status();
  t.is(cgroups, 'delegated');
  t.regex(await guest.ok(user, `cat /proc/${launcherPid}/cgroup`), /\/usernetes\.service/);
});

onNode('uninstalled, it is stopped', async (t) => {
  await guest.ok(user, 'u7s uninstall');
  t.is(await guest.ok('root', `find ${userCgroups} -type d -name kubepods`), '');
  t.is((await guest.sh(user, 'systemctl --user is-enabled usernetes')).exitCode, 1);
});

inGuest('a user whose systemd does not run is told of Delegate=', async (t) => {
  await guest.ok('root', `loginctl disable-linger ${user}; systemctl stop user@1000`);
  t.regex(await guest.ok('root', `${withoutSystemd} u7s doctor`), /pod limits are off: .*Delegate=yes/s);
});

onNode('without its systemd, a user has a cluster without limits', async (t) => {
  const said = await guest.ok('root', `(${withoutSystemd} u7s up -d --timeout 25m) 2>&1`);
  t.regex(said, /pod limits are off: the cgroup \S+ is not delegated to this user, .*Delegate=yes/);
  t.regex(said, /is ready after/);
  t.is(await guest.ok('root', 'find /sys/fs/cgroup -type d -name "kubepods*"'), '');
});

const withoutSystemd = `cd /; setpriv --reuid=${user} --regid=${user} --init-groups env -i HOME=/home/${user} PATH=$PATH`;
const userCgroups = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service';

type Status = {
  phase: string;
  cgroups: string;
  launcherPid: number;
  services: { name: string; restarts: number }[];
};

/** Whatever its exit code: the API of so slow a guest may take longer to answer than status waits. */
async function status(): Promise<Status> {
  return JSON.parse((await guest.sh(user, 'u7s status -o json')).stdout) as Status;
}

/** A client of the guest's cluster that runs on this machine, where it costs nothing. */
async function connect(): Promise<KubeClient> {
  const port = await guest.forward(user, 6443);
  const text = await guest.ok(user, 'cat .local/state/usernetes/default/admin.kubeconfig');
  const field = (name: string): string =>
    Buffer.from(new RegExp(`${name}: "?([\\w+/=]+)`).exec(text)?.[1] ?? '', 'base64').toString();
  return createKubeClient({
    server: `https://127.0.0.1:${port}`,
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  });
}

async function clusterUid(): Promise<string> {
  const { metadata } = await api.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
  return metadata.uid;
}

function pod(name: string, command: string[], spec: object = {}): KubeObject {
  const container = {
    name: 'main',
    image: 'localhost/busybox:1',
    imagePullPolicy: 'Never',
    command: ['/busybox', ...command],
    resources: { limits: { cpu: '420m', memory: '42Mi' } },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 0, containers: [container], ...spec },
  };
}

type ContainerStatus = {
  containerID?: string;
  restartCount: number;
  state: { running?: object; terminated?: { reason: string; exitCode: number } };
};
type Pod = KubeObject & { metadata: { uid: string }; status?: { containerStatuses?: ContainerStatus[] } };

const idOf = ({ containerID }: ContainerStatus): string => containerID?.replace('containerd://', '') ?? '';

/** The container of a pod as soon as it `fits`, with its ID and that of its pod. */
async function containerOf(
  name: string,
  fits: (container: ContainerStatus) => boolean,
): Promise<ContainerStatus & { uid: string; id: string }> {
  const first = ({ status }: Pod): ContainerStatus[] => status?.containerStatuses?.slice(0, 1) ?? [];
  const pods = '/api/v1/namespaces/default/pods';
  const signal = AbortSignal.any([guest.lost, AbortSignal.timeout(patience)]);
  const found = await waitForObject<Pod>(api, pods, name, (each) => first(each).some(fits), signal);
  const [container] = first(found);
  if (container === undefined) throw new Error(`pod ${name} has no container`);
  return { ...container, uid: found.metadata.uid, id: idOf(container) };
}

/** Of a container, as the kernel has them. */
async function limitsOf(uid: string, id: string): Promise<{ cpu: string; memory: string }> {
  const folder = `$(find ${userCgroups} -type d -path '*/kubepods/pod${uid}/${id}')`;
  const [cpu = '', memory = ''] = (await guest.ok('root', `cd ${folder} && cat cpu.max memory.max`)).split(
    '\n',
  );
  return { cpu, memory };
}
