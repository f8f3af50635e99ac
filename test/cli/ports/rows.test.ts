import test from 'ava';
import { portRows } from '#src/cli/ports/rows.js';
import { parsePortSpec } from '#src/rootless/port-spec.js';

const [api, web, dns] = ['127.0.0.1:6443:6443/tcp', '127.0.0.1:8080:80/tcp', '127.0.0.1:53:53/udp'].map(
  parsePortSpec,
) as [ReturnType<typeof parsePortSpec>, ReturnType<typeof parsePortSpec>, ReturnType<typeof parsePortSpec>];

test('each published port is shown with who asked for it', (t) => {
  t.deepEqual(
    portRows(
      [
        { id: 1, spec: api },
        { id: 2, spec: web },
      ],
      [
        { spec: web, owner: 'service/default/web' },
        { spec: api, owner: 'api-server' },
      ],
      'manual',
    ),
    [
      { id: 1, spec: api, owner: 'api-server' },
      { id: 2, spec: web, owner: 'service/default/web' },
    ],
  );
});

test('two who share a port are both named', (t) => {
  const owned = ['pod/default/a', 'service/default/b', 'pod/default/a'].map((owner) => ({
    spec: web,
    owner,
  }));
  t.is(portRows([{ id: 1, spec: web }], owned, 'manual')[0]?.owner, 'pod/default/a, service/default/b');
});

test('a port that nobody we know asked for is dockerd’s where one runs, else somebody’s by hand', (t) => {
  t.is(portRows([{ id: 1, spec: web }], [], 'docker')[0]?.owner, 'docker');
  t.is(portRows([{ id: 1, spec: web }], [], 'manual')[0]?.owner, 'manual');
});

test('what could not be published comes last, without an ID and with the reason', (t) => {
  const problem = { reason: 'taken', code: 'port-taken', fixes: [] };
  t.deepEqual(portRows([{ id: 1, spec: api }], [{ spec: dns, owner: 'config', problem }], 'manual').at(-1), {
    spec: dns,
    owner: 'config',
    problem,
  });
});
