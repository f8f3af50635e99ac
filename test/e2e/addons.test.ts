import { copyFile, chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { exists } from '#src/lib/exists.js';
import { pathsOf } from '../ordinary-user.js';
import { account } from './account.js';
import { until } from './running-cluster.js';
import { apply, kubectl, ok, sh } from './shell.js';

/** On an instance of its own: what users add to a cluster, and that nothing is left of it. */
process.env['U7S_CLUSTER'] = 'addons';

/** Minutes of compiling that a fresh machine is spared, unless all is asked for: `npm run test:addons`. */
const toCompile = ['traefik', 'gateway-api', 'helm'];
const { artifacts } = pathsOf(await account());
const here = (await Promise.all(toCompile.map((name) => exists(join(artifacts, name))))).every(Boolean);
const compiled = here || process.env['U7S_ADDONS'] === 'all';
function serial(title: string, work: (t: ExecutionContext) => Promise<void>): void {
  if (compiled) test.serial(title, work);
  else test.serial.skip(`${title} (with U7S_ADDONS=all)`, work);
}

const image = 'localhost/web:1';
let folder = '';
let http = 0;
let https = 0;
let ca = '';

test.before('a cluster with an image of a web server, and the add-on', async (t) => {
  t.timeout(80 * 60_000, 'Traefik and helm may have to be compiled');
  await ok('./cleanup.sh').catch(() => undefined);
  const { home } = await account();
  folder = join(home, '.config/usernetes/manifests/addons');
  await rm(folder, { recursive: true, force: true });
  await ok('./run.sh', ['--init-host', '-d', 'default-containerd']);
  await loadWeb();
});

test.after.always('the cluster and the folder are removed', async () => {
  await sh('./cleanup.sh');
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

test.serial('an add-on that there is not is refused, with what was meant', async (t) => {
  const { exitCode, stderr } = await sh('bin/u7s.js', ['addon', 'enable', 'ingres']);
  t.is(exitCode, 2);
  t.regex(stderr, /error\[no-such-addon\][^]*ingress/);
});

serial('ingress is enabled, remembered and ready when the command returns', async (t) => {
  t.timeout(60 * 60_000);
  await ok('bin/u7s.js', ['addon', 'enable', 'ingress']);
  const [ingress] = JSON.parse(await ok('bin/u7s.js', ['addon', 'list', '-o', 'json'])) as object[];
  t.like(ingress, { name: 'ingress', state: 'ready' });
  t.regex(await ok('bin/u7s.js', ['config', 'view']), /addons:\s+- ingress/);
  await until(async () => {
    const ports = await ok('bin/u7s.js', ['ports', '-o', 'json']);
    const of = (wanted: number[]): number =>
      (JSON.parse(ports) as { id?: number; spec: { parentPort: number } }[]).find(
        ({ id, spec }) => id !== undefined && wanted.includes(spec.parentPort),
      )?.spec.parentPort ?? 0;
    [http, https] = [of([80, 8080]), of([443, 8443])];
    return http > 0 && https > 0;
  });
});

serial(
  'an Ingress without a class: by host and path, and by TLS with the Secret’s certificate',
  async (t) => {
    const made = await certificate('web.example.org');
    ca = made.cert;
    await apply(
      ...webserver('web'),
      ...webserver('shop'),
      ...socketServer(),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/tls',
        metadata: { name: 'web-tls' },
        stringData: { 'tls.crt': made.cert, 'tls.key': made.key },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'web' },
        spec: {
          tls: [{ hosts: ['web.example.org'], secretName: 'web-tls' }],
          rules: [
            {
              host: 'web.example.org',
              http: { paths: [path('/', 'web'), path('/shop', 'shop'), path('/socket', 'socket')] },
            },
          ],
        },
      },
    );
    await until(async () => (await get('web.example.org', '/name')).body === 'web', 60_000);
    await until(async () => (await get('web.example.org', '/shop/name')).body === 'shop', 60_000);
    t.is((await get('web.example.org', '/name', ca)).body, 'web');
    t.is((await get('other.example.org', '/name')).status, 404);
  },
);

serial('a WebSocket passes', async (t) => {
  let answer = '';
  await until(async () => {
    answer = await overSocket('web.example.org', '/socket', 'hello').catch(() => '');
    return answer !== '';
  }, 30_000);
  t.is(answer, 'hello');
});

serial('an HTTPRoute of a Gateway', async (t) => {
  await apply(
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'web' },
      spec: { gatewayClassName: 'traefik', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'web' },
      spec: {
        parentRefs: [{ name: 'web' }],
        hostnames: ['gateway.example.org'],
        rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
      },
    },
  );
  await until(async () => (await get('gateway.example.org', '/name')).body === 'shop', 30_000);
  t.pass();
});

test.serial('files of the folder are applied, changed and removed', async (t) => {
  const file = await write('one.yaml', `${configMap('one', '1')}---\n${configMap('two', '1')}`);
  const data = (name: string): Promise<string> =>
    sh('./kubectl.sh', ['get', 'configmap', name, '-o', 'jsonpath={.data.a}']).then(({ stdout }) => stdout);
  await until(async () => (await data('two')) === '1');
  await write('one.yaml', configMap('one', '2'));
  await until(async () => (await data('one')) === '2' && (await data('two')) === '');
  await write('broken.yaml', 'kind: [\n');
  await until(async () => (await sh('bin/u7s.js', ['manifests'])).stdout.includes('broken.yaml:2'));
  t.is(await data('one'), '2');
  await rm(file);
  await rm(join(folder, 'broken.yaml'));
  await until(async () => (await data('one')) === '');
});

serial('a chart as helm makes them is installed by a file, and uninstalled with it', async (t) => {
  t.timeout(30 * 60_000);
  await ok('bin/u7s.js', ['helm', 'version']);
  const { home } = await account();
  await ok('bin/u7s.js', ['helm', 'create', join(home, '.config/usernetes/manifests/addons/demo')]);
  const values = { image: { repository: 'localhost/web', tag: '1', pullPolicy: 'Never' } };
  const file = await write('demo.chart.yaml', JSON.stringify({ chart: './demo', namespace: 'demo', values }));
  await until(async () => {
    const deployed = await sh('./kubectl.sh', [
      '-n',
      'demo',
      'get',
      'deployment',
      'demo',
      '-o',
      'jsonpath={.status.readyReplicas}',
    ]);
    return deployed.stdout === '1';
  }, 60_000);
  t.regex(await ok('bin/u7s.js', ['helm', 'list', '-A']), /demo\s+demo\s+1\s/);
  await rm(file);
  await until(async () => !(await ok('bin/u7s.js', ['helm', 'list', '-A'])).includes('demo'), 30_000);
  t.pass();
});

serial('disabled, the add-on leaves nothing but the kinds of which there are objects', async (t) => {
  const disable = await sh('bin/u7s.js', ['addon', 'disable', 'ingress']);
  t.is(disable.exitCode, 0);
  t.regex(disable.stderr, /httproutes/);
  await kubectl(
    'delete',
    'crd',
    'gateways.gateway.networking.k8s.io',
    'httproutes.gateway.networking.k8s.io',
  );
  const kinds = 'namespaces,crds,ingressclasses,clusterroles,clusterrolebindings';
  const left = await kubectl('get', kinds, '-o', 'name');
  t.notRegex(left, /ingress\b|traefik|gateway/);
  t.is(await kubectl('get', 'all,configmaps,secrets', '-A', '-l', 'usernetes/addon', '-o', 'name'), '');
});

function path(prefix: string, service: string): object {
  return { path: prefix, pathType: 'Prefix', backend: { service: { name: service, port: { number: 80 } } } };
}

/** Answers /name, and /shop/name, with its name. */
function webserver(name: string): object[] {
  const script = `mkdir -p /tmp/www/shop; printf ${name} | tee /tmp/www/name >/tmp/www/shop/name; exec httpd -f -p 80 -h /tmp/www`;
  return served(name, script);
}

/** Accepts any WebSocket, and sends back what comes. */
const socketServer = (): object[] => served('socket', 'while true; do nc -l -p 80 -e /bin/socket; done');

function served(name: string, script: string): object[] {
  const labels = { app: name };
  const container = { name: 'main', image, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', script] };
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ port: 80 }] },
    },
  ];
}

const socketScript = `#!/bin/sh
cr=$(printf '\\r')
while read -r line && [ -n "\${line%$cr}" ]; do :; done
printf 'HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n'
exec cat
`;

async function loadWeb(): Promise<void> {
  const rootfs = await mkdtemp(join(tmpdir(), 'u7s-web-'));
  try {
    await chmod(rootfs, 0o755);
    for (const name of ['bin', 'tmp', 'www']) await mkdir(join(rootfs, name), { mode: 0o755 });
    await chmod(join(rootfs, 'tmp'), 0o777);
    await copyFile((await ok('sh', ['-c', 'command -v busybox'])).trim(), join(rootfs, 'bin/busybox'));
    for (const applet of ['sh', 'httpd', 'nc', 'printf', 'tee', 'mkdir', 'cat'])
      await symlink('busybox', join(rootfs, 'bin', applet));
    await writeFile(join(rootfs, 'www/index.html'), 'a chart\n');
    await writeFile(join(rootfs, 'bin/socket'), socketScript, { mode: 0o755 });
    const words = ['httpd', '-f', '-p', '80', '-h', '/www'].flatMap((word) => ['--cmd', word]);
    await ok('bin/u7s.js', ['image', 'build-from', rootfs, '--name', image, ...words, '--load']);
  } finally {
    await rm(rootfs, { recursive: true });
  }
}

const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { a: "${value}" }\n`;

/** As the user would, into the folder of this cluster. */
async function write(name: string, text: string): Promise<string> {
  const { home, uid } = await account();
  for (let made = join(home, '.config'), parts = ['usernetes', 'manifests', 'addons']; parts.length > 0;) {
    made = join(made, parts.shift() ?? '');
    await mkdir(made, { recursive: true });
    await chown(made, uid, uid);
  }
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o644 });
  return file;
}

async function certificate(name: string): Promise<{ cert: string; key: string }> {
  const made = await ok('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', '-', '-out', '-'],
  ]);
  const part = (title: string): string =>
    new RegExp(`-----BEGIN ${title}-----[^]*-----END ${title}-----\\n?`).exec(`${made}\n`)?.[0] ?? '';
  return { cert: part('CERTIFICATE'), key: part('PRIVATE KEY') };
}

/** Asks the host's port, as a client would whose DNS says that `host` is here. */
function get(host: string, path: string, authority?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const common = { host: '127.0.0.1', path, headers: { host }, agent: false as const };
    const asked =
      authority === undefined
        ? httpRequest({ ...common, port: http })
        : httpsRequest({ ...common, port: https, ca: authority, servername: host });
    asked.on('error', reject).on('response', (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((parts) => resolve({ status: response.statusCode ?? 0, body: parts.join('') }), reject);
    });
    asked.end();
  });
}

function overSocket(host: string, path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      host,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const asked = httpRequest({ host: '127.0.0.1', port: http, path, headers, agent: false, timeout: 5_000 });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject).on('response', ({ statusCode }) => reject(new Error(`status ${statusCode}`)));
    asked.on('upgrade', (_response, socket) => {
      socket.on('error', reject);
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data));
      });
      socket.write(text);
    });
    asked.end();
  });
}
