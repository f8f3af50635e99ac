import { container, pod, serve } from '../pods.js';
import { until } from '../running-cluster.js';
import { apply, kubectl, sh } from '../shell.js';
import type { Check } from './kubernetes.js';

const ports = [7080, 7081, 7085];

/** Answers on all of the ports, of which it gives one a name. */
const server = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'guarded', labels: { app: 'guarded' } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        ...container(ports.map((port) => `(${serve(port, 'hello')}) &`).join(' ') + ' sleep 1000000'),
        ports: [{ name: 'web', containerPort: 7080 }],
      },
    ],
  },
};

const inTeam = (object: object): object => ({
  ...object,
  metadata: { ...(object as { metadata: object }).metadata, namespace: 'team' },
});

const clients = { friend: 'default', stranger: 'default', visitor: 'team' } as const;
type Client = keyof typeof clients;

const selects = (app: string): object => ({ matchLabels: { app } });

const policy = (name: string, app: string, rules: object): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name },
  spec: { podSelector: selects(app), ...rules },
});

const ingress = (...rules: object[]): object =>
  policy('in', 'guarded', { policyTypes: ['Ingress'], ingress: rules });
const egress = (...rules: object[]): object =>
  policy('out', 'friend', { policyTypes: ['Egress'], egress: rules });

/** Which of the ports answer that client, and whether the cluster DNS does. */
async function reached(client: Client, address: string): Promise<string> {
  const probes = [
    ...ports.map((port) => `[ -n "$(nc -w 2 ${address} ${port} </dev/null)" ] && echo ${port}`),
    'busybox timeout 3 nslookup kubernetes.default.svc.cluster.local >/dev/null && echo dns',
  ];
  const script = `${probes.map((probe) => `{ ${probe}; } &`).join(' ')} wait`;
  const { stdout } = await sh('./kubectl.sh', [
    ...['exec', '-n', clients[client], client, '--', 'sh', '-c', script],
  ]);
  return stdout.trim().split('\n').sort().join(' ');
}

const all = `${ports.join(' ')} dns`;

export const policyChecks: Readonly<Record<string, Check>> = {
  'network policies': async (t) => {
    t.timeout(5 * 60_000, 'what is refused answers only by not answering');
    await apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team', labels: { app: 'team' } },
    });
    await apply(
      server,
      pod('friend', 'sleep 1000000'),
      pod('stranger', 'sleep 1000000'),
      inTeam(pod('visitor', 'sleep 1000000')),
    );
    await kubectl(
      'wait',
      'pod/guarded',
      'pod/friend',
      'pod/stranger',
      '--for=condition=Ready',
      '--timeout=60s',
    );
    await kubectl('wait', '-n', 'team', 'pod/visitor', '--for=condition=Ready', '--timeout=60s');
    const addressOf = (name: string): Promise<string> =>
      kubectl('get', 'pod', name, '-o', 'jsonpath={.status.podIP}');
    const [address, stranger] = await Promise.all([addressOf('guarded'), addressOf('stranger')]);

    const expect = async (what: string, wanted: Readonly<Record<Client, string>>): Promise<void> => {
      const names = Object.keys(clients) as Client[];
      let found: string[] = [];
      const asWanted = async (): Promise<boolean> => {
        found = await Promise.all(names.map((client) => reached(client, address)));
        return names.every((client, index) => found[index] === wanted[client]);
      };
      await until(asWanted, 30_000).catch(() => undefined);
      t.deepEqual(Object.fromEntries(names.map((client, index) => [client, found[index]])), wanted, what);
    };

    await expect('without a policy', { friend: all, stranger: all, visitor: all });

    await apply(ingress());
    await expect('nobody', { friend: 'dns', stranger: 'dns', visitor: 'dns' });
    const fromNode = await sh('bin/u7s.js', ['shell', '--', 'busybox', 'nc', '-w', '5', address, '7080']);
    t.is(fromNode.stdout.trim(), 'hello', 'a node reaches its own pods');

    await apply(
      ingress(
        { from: [{ podSelector: selects('friend') }], ports: [{ port: 'web' }] },
        { from: [{ namespaceSelector: selects('team') }], ports: [{ port: 7081, endPort: 7085 }] },
      ),
    );
    await expect('by selectors, a named port and a range', {
      friend: '7080 dns',
      stranger: 'dns',
      visitor: '7081 7085 dns',
    });

    await apply(ingress({ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: [`${stranger}/32`] } }] }));
    await expect('by addresses', { friend: all, stranger: 'dns', visitor: all });

    await apply(egress({ to: [{ podSelector: selects('guarded') }], ports: [{ port: 'web' }] }));
    await expect('egress without DNS', { friend: '7080', stranger: 'dns', visitor: all });
    await apply(
      egress({
        to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
        ports: [{ port: 53, protocol: 'UDP' }],
      }),
    );
    await expect('egress by UDP alone', { friend: 'dns', stranger: 'dns', visitor: all });

    await kubectl('delete', 'networkpolicy', 'in', 'out');
    await expect('policies are gone', { friend: all, stranger: all, visitor: all });
    await kubectl('delete', 'pod', 'guarded', 'friend', 'stranger', '--wait=false');
    await kubectl('delete', 'namespace', 'team', '--wait=false');
  },
};
