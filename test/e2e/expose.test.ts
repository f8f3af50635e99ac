import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import test from 'ava';
import { createPortClient } from '#src/rootless/api-client.js';
import { formatPortSpec, parsePortSpec } from '#src/rootless/port-spec.js';
import { account } from './account.js';
import { container, loadBusybox } from './pods.js';
import { apply, kubectl, ok, sh } from './shell.js';

/** A cluster of this file's own, for all helpers. */
process.env['U7S_CLUSTER'] = 'expose';
process.env['U7S_API_PORT'] = '6502';

/*
 * Node ports are taken from 30000 to 30085, which Kubernetes gives to nobody who does not ask for one by number ("static
 * band"), and the ports of load balancers from outside the range of node ports.
 */

/** TEST-NET-2 (RFC 5737), an address of the host for the time of the tests that is not loopback. */
const otherAddress = '198.51.100.77';

const up = (...flags: string[]): Promise<string> => ok('./run.sh', ['default-containerd', '-d', ...flags]);

/** What the cluster asks for becomes a port of the host, and ends as one. The tests build on one another, in this order. */
test.before(
  'a cluster with a TCP echo, and with a DNS server that echoes names by UDP and TCP',
  async (t) => {
    t.timeout(80 * 60_000, 'the binaries may have to be built');
    await sh('./cleanup.sh');
    await ok('./run.sh', ['--init-host', 'default-containerd', '-d']);
    await loadBusybox();
    const coredns = await kubectl(
      ...['-n', 'kube-system', 'get', 'deployment', 'coredns'],
      ...['-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
    );
    await apply(
      pod('echo', { ...container('exec nc -ll -p 8080 -e cat', { port: 8080 }) }),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'names' },
        data: {
          Corefile: '.:5300 {\n template IN TXT . {\n  answer "{{ .Name }} 0 IN TXT {{ .Name }}"\n }\n}\n',
        },
      },
      pod(
        'names',
        {
          name: 'main',
          image: coredns,
          imagePullPolicy: 'Never',
          args: ['-conf', '/etc/coredns/Corefile'],
          ports: [
            { containerPort: 5300, hostPort: 35300, protocol: 'UDP' },
            { containerPort: 5300, hostPort: 35300, protocol: 'TCP' },
          ],
          volumeMounts: [{ name: 'config', mountPath: '/etc/coredns' }],
        },
        [{ name: 'config', configMap: { name: 'names' } }],
      ),
    );
    await kubectl('wait', 'pod/echo', 'pod/names', '--for=condition=Ready', '--timeout=90s');
  },
);

test.after.always('the cluster is removed', async () => {
  await sh('./cleanup.sh');
  await sh('ip', ['address', 'delete', `${otherAddress}/32`, 'dev', 'lo']);
});

test.serial('a NodePort Service answers on the host, on loopback alone', async (t) => {
  await apply(service('web', 'NodePort', [{ port: 80, targetPort: 8080, nodePort: 30001 }]));
  await until(() => echoes('127.0.0.1', 30001));
  t.true((await exposed()).includes('127.0.0.1:30001:10.0.2.100:30001/tcp'));
});

test.serial('when its port changes the host follows, and nothing is left of the old one', async (t) => {
  await apply(service('web', 'NodePort', [{ port: 80, targetPort: 8080, nodePort: 30002 }]));
  await until(() => echoes('127.0.0.1', 30002));
  t.false(await echoes('127.0.0.1', 30001));
});

test.serial('a Service that gets another type is taken back', async (t) => {
  await kubectl(
    'patch',
    'service/web',
    '-p',
    '{"spec":{"type":"ClusterIP","ports":[{"port":80,"nodePort":null}]}}',
  );
  await until(async () => (await exposed(':3000')).length === 0);
  t.pass();
});

test.serial('UDP is carried there and back', async (t) => {
  const ports = [{ port: 53, targetPort: 5300, nodePort: 30003, protocol: 'UDP' }];
  await apply(service('names', 'NodePort', ports));
  await until(async () => (await echoedName('127.0.0.1', 30003)) === 'by-udp.example.');
  t.pass();
});

test.serial('a LoadBalancer Service is published by its own port and gets the address', async (t) => {
  await apply(service('balanced', 'LoadBalancer', [{ port: 35784, targetPort: 8080 }]));
  await until(() => echoes('127.0.0.1', 35784));
  await until(async () => (await ingressOf('balanced')) === '127.0.0.1');
  t.pass();
});

test.serial('below 1024 it is 8000 higher where the kernel refuses, and an Event says so', async (t) => {
  const from = Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  await apply(service('low', 'LoadBalancer', [{ port: 781, targetPort: 8080 }]));
  const port = from > 781 ? 8781 : 781;
  await until(() => echoes('127.0.0.1', port));
  if (port === 8781) {
    await until(async () => /published as 127\.0\.0\.1:8781/.test(await eventsOf('low')));
    t.regex(
      await ok('bin/u7s.js', ['ports', '--why']),
      /:8781\/tcp for service\/default\/low .* instead of 781/,
    );
  }
  t.pass();
});

test.serial('a host port of a pod answers by TCP and UDP', async (t) => {
  await until(async () => (await exposed(':35300:')).length === 2);
  await until(async () => (await echoedName('127.0.0.1', 35300)) === 'by-udp.example.');
  t.pass();
});

test.serial('what a pod exposes ends with it', async (t) => {
  await apply(
    pod('brief', {
      ...container('exec nc -ll -p 8080 -e cat'),
      ports: [{ containerPort: 8080, hostPort: 35301 }],
    }),
  );
  await until(() => echoes('127.0.0.1', 35301));
  await kubectl('delete', 'pod/brief');
  await until(async () => (await exposed(':35301:')).length === 0);
  t.false(await echoes('127.0.0.1', 35301));
});

test.serial('a port that another program has gives an Event, and heals when it is freed', async (t) => {
  const other = createServer().listen(35785, '127.0.0.1');
  await once(other, 'listening');
  await apply(service('late', 'LoadBalancer', [{ port: 35785, targetPort: 8080 }]));
  await until(async () =>
    /PortNotPublished.*127\.0\.0\.1:35785\/tcp is in use/s.test(await eventsOf('late')),
  );
  t.is(await ingressOf('late'), '', 'an address would promise what is not there');
  const why = await ok('bin/u7s.js', ['ports', '--why']);
  t.regex(why, /127\.0\.0\.1:35785\/tcp for service\/default\/late is not published: .* in use/);
  other.close();
  await until(() => echoes('127.0.0.1', 35785));
  await until(async () => (await ingressOf('late')) === '127.0.0.1');
  await until(async () => /PortPublished/.test(await eventsOf('late')));
});

test.serial('of two Services that want a port the older has it, and the younger inherits it', async (t) => {
  await apply(service('heir', 'LoadBalancer', [{ port: 35785, targetPort: 8080 }]));
  await until(async () => /published for Service default\/late/.test(await eventsOf('heir')));
  await kubectl('delete', 'service/late');
  await until(async () => (await ingressOf('heir')) === '127.0.0.1');
  t.true(await echoes('127.0.0.1', 35785));
});

test.serial('fifty Services, created and deleted, leave no port', async (t) => {
  const before = await allPorts();
  const many = Array.from({ length: 50 }, (_, index) =>
    service(`many-${index}`, 'NodePort', [{ port: 80, targetPort: 8080, nodePort: 30_020 + index }], {
      many: 'yes',
    }),
  );
  await apply(...many);
  await until(async () => (await allPorts()).length === before.length + 50);
  t.true(await echoes('127.0.0.1', 30_069));
  // It writes all rules anew, at once.
  await ok('bin/u7s.js', ['restart', 'kube-proxy']);
  t.true(await echoes('127.0.0.1', 30_069));
  await kubectl('delete', 'service', '-l', 'many=yes');
  await until(async () => (await allPorts()).length === before.length);
  t.deepEqual(await allPorts(), before);
});

test.serial('ports that others published are left alone', async (t) => {
  const spec = '127.0.0.1:35786:30001/tcp';
  const client = createPortClient(await apiSocket());
  const { id } = await client.add(parsePortSpec(spec), AbortSignal.timeout(5_000));
  await apply(service('passing', 'NodePort', [{ port: 80, nodePort: 30007 }]));
  await until(async () => (await exposed(':30007:')).length === 1);
  await kubectl('delete', 'service/passing');
  await until(async () => (await exposed(':30007:')).length === 0);
  t.true((await allPorts()).includes(spec));
  await client.remove(id, AbortSignal.timeout(5_000));
});

test.serial('it goes on after a crash of the API server', async (t) => {
  const before = await exposed();
  await crash('kube-apiserver');
  await apply(service('after', 'NodePort', [{ port: 80, targetPort: 8080, nodePort: 30008 }]));
  await until(() => echoes('127.0.0.1', 30008));
  await kubectl('delete', 'service/after');
  await until(async () => (await exposed(':30008:')).length === 0);
  t.deepEqual(await exposed(), before);
});

test.serial('and after a crash of RootlessKit with the same ports', async (t) => {
  const before = await exposed();
  process.kill(await rootlessKitPid(), 'SIGKILL');
  // The tree dies as a whole and is built again.
  await until(async () => (await exposed().catch(() => before)).length < before.length);
  await until(async () => (await exposed().catch(() => [])).length === before.length, 90_000);
  t.deepEqual(await exposed(), before);
  await until(() => echoes('127.0.0.1', 35784), 90_000);
});

test.serial('its identity sees Services and pods and nothing else', async (t) => {
  const can = async (...what: string[]): Promise<string> =>
    (await sh('./kubectl.sh', ['auth', 'can-i', ...what, '--as', 'usernetes:port-publisher', '-A'])).stdout;
  t.is(await can('watch', 'services'), 'yes');
  t.is(await can('patch', 'services', '--subresource=status'), 'yes');
  for (const what of [
    ['get', 'secrets'],
    ['patch', 'services'],
    ['list', 'nodes'],
    ['create', 'pods'],
  ])
    t.is(await can(...what), 'no', what.join(' '));
});

test.serial(
  '--publish-address opens the same ports there, by TCP and UDP, and closes loopback',
  async (t) => {
    await ok('ip', ['address', 'replace', `${otherAddress}/32`, 'dev', 'lo']);
    await ok('bin/u7s.js', ['down']);
    await up('--publish-address', otherAddress);
    await until(() => echoes(otherAddress, 35784), 90_000);
    await until(async () => (await ingressOf('balanced')) === otherAddress);
    await until(async () => (await echoedName(otherAddress, 30003)) === 'by-udp.example.');
    t.false(await echoes('127.0.0.1', 35784));
    t.is((await kubectl('get', '--raw', '/readyz')).trim(), 'ok', 'the API stays on loopback');
  },
);

test.serial('0.0.0.0 is every address', async (t) => {
  await ok('bin/u7s.js', ['down']);
  await up('--publish-address', '0.0.0.0');
  for (const address of [otherAddress, '127.0.0.1']) {
    await until(() => echoes(address, 35784), 90_000);
    await until(async () => (await echoedName(address, 35300)) === 'by-udp.example.');
  }
  t.pass();
});

test.serial('--no-expose publishes nothing', async (t) => {
  await ok('bin/u7s.js', ['down']);
  await up('--no-expose');
  await kubectl('wait', 'pod/echo', '--for=condition=Ready', '--timeout=90s');
  t.deepEqual(await allPorts(), ['127.0.0.1:6502:6502/tcp']);
});

type ServicePort = { port: number; targetPort?: number; nodePort?: number; protocol?: string };

/** In front of the pod `echo`, or for UDP of `names`. */
function service(
  name: string,
  type: string,
  ports: ServicePort[],
  labels: Record<string, string> = {},
): object {
  const app = ports[0]?.protocol === 'UDP' ? 'names' : 'echo';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { type, selector: { app }, ports: ports.map((port, index) => ({ name: `p${index}`, ...port })) },
  };
}

function pod(name: string, main: object, volumes: object[] = []): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 1, containers: [main], volumes },
  };
}

/** Whether what is sent to the port comes back. */
function echoes(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 2_000 });
    socket.once('connect', () => socket.write('hello\n'));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy());
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(false));
  });
}

/** What the DNS server that echoes names answers by UDP. */
async function echoedName(address: string, port: number): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  const answer = await resolver.resolveTxt('by-udp.example').catch(() => []);
  return answer[0]?.[0];
}

async function apiSocket(): Promise<string> {
  return `/run/user/${(await account()).uid}/usernetes-expose/rootlesskit/api.sock`;
}

/** Every port that RootlessKit publishes. */
async function allPorts(): Promise<string[]> {
  const ports = await createPortClient(await apiSocket()).list(AbortSignal.timeout(5_000));
  return ports.map(({ spec }) => formatPortSpec(spec)).sort();
}

/** All but that of the API; only those with `part`. */
async function exposed(part = ''): Promise<string[]> {
  return (await allPorts()).filter((port) => !port.includes(':6502:') && port.includes(part));
}

const ingressOf = (name: string): Promise<string> =>
  kubectl('get', 'service', name, '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}');

const eventsOf = (name: string): Promise<string> =>
  kubectl('get', 'events', '--field-selector', `involvedObject.kind=Service,involvedObject.name=${name}`);

async function crash(name: string): Promise<void> {
  const { services } = JSON.parse(await ok('bin/u7s.js', ['status', '-o', 'json'])) as {
    services: { name: string; pid?: number; restarts: number; phase: string }[];
  };
  const pid = services.find((each) => each.name === name)?.pid;
  await ok('bin/u7s.js', ['shell', '--', 'kill', '-KILL', String(pid)]);
  await until(async () => (await sh('./kubectl.sh', ['get', '--raw', '/readyz'])).exitCode === 0);
}

/** The parent, which runs in the namespaces of the host. */
async function rootlessKitPid(): Promise<number> {
  const { launcherPid } = JSON.parse(await ok('bin/u7s.js', ['status', '-o', 'json'])) as {
    launcherPid: number;
  };
  const children = await readFile(`/proc/${launcherPid}/task/${launcherPid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}

/** Waits for what the cluster does by itself. */
async function until(condition: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not come true within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
