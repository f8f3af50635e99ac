import test from 'ava';
import { formatOwner, portRow, portsOf, type PortOwner, type WantedPort } from '#src/rootless/port.js';
import { parsePortSpec } from '#src/rootless/port-spec.js';

const api = parsePortSpec('127.0.0.1:6443:6443/tcp');
const web = parsePortSpec('127.0.0.1:8080:80/tcp');
const dns = parsePortSpec('127.0.0.1:53:53/udp');
const manual: PortOwner = { kind: 'manual' };
const of = (kind: 'pod' | 'service', name: string): PortOwner => ({ kind, namespace: 'default', name });

test('each published port is listed with its owner', (t) => {
  const live = [
    { id: 1, spec: api },
    { id: 2, spec: web },
  ];
  const wanted: WantedPort[] = [
    { spec: web, owner: of('service', 'web'), note: 'instead of 80' },
    { spec: api, owner: { kind: 'api-server' } },
  ];
  t.deepEqual(portsOf(live, wanted, manual), [
    { id: 1, spec: api, owners: [{ kind: 'api-server' }] },
    { id: 2, spec: web, owners: [of('service', 'web')], note: 'instead of 80' },
  ]);
});

test('all who share a port are named, each once', (t) => {
  const owners = [of('pod', 'a'), of('service', 'b'), of('pod', 'a')];
  const [port] = portsOf(
    [{ id: 1, spec: web }],
    owners.map((owner) => ({ spec: web, owner })),
    manual,
  );
  t.deepEqual(port?.owners.map(formatOwner), ['pod/default/a', 'service/default/b']);
  t.is(port && portRow(port).owner, 'pod/default/a, service/default/b');
});

test('a port that nobody has asked us for has the owner that is given for those', (t) => {
  t.deepEqual(portsOf([{ id: 1, spec: web }], [], { kind: 'docker' })[0]?.owners, [{ kind: 'docker' }]);
});

test('what could not be published comes last, without an ID and with the reason', (t) => {
  const problem = { reason: 'taken', code: 'port-taken', fixes: [] };
  const wanted: WantedPort[] = [{ spec: dns, owner: { kind: 'config' }, problem }];
  t.deepEqual(portsOf([{ id: 1, spec: api }], wanted, manual).at(-1), {
    spec: dns,
    owners: [{ kind: 'config' }],
    problem,
  });
});
