import { createServer, type AddressInfo } from 'node:net';
import test from 'ava';
import { RootlessKitError } from '#src/rootless/api-client.js';
import { explainRefusal, removal } from '#src/rootless/port-refusal.js';
import { parsePortSpec, type PortStatus } from '#src/rootless/port-spec.js';

async function explained(said: string, spec: string, live: PortStatus[] = []) {
  const error = new RootlessKitError(said, 400);
  const { message, code, fixes, cause } = await explainRefusal(error, parsePortSpec(spec), live);
  return { message, code, fixes, hasCause: cause === error };
}
const inUse = 'listen tcp: bind: address already in use';

test('the rival among the published ports is named, whether RootlessKit or the kernel refuses', async (t) => {
  const live = [
    { id: 1, spec: parsePortSpec('127.0.0.1:8080:80/udp') },
    { id: 3, spec: parsePortSpec('0.0.0.0:8080:80/tcp') },
  ];
  for (const said of [inUse, 'conflict with ID 3']) {
    t.deepEqual(await explained(said, '127.0.0.1:8080:81/tcp', live), {
      message: '127.0.0.1:8080/tcp conflicts with a published port: ID 3, 0.0.0.0:8080:80/tcp',
      code: 'port-conflict',
      fixes: ['take another port', removal(3)],
      hasCause: true,
    });
  }
});

for (const [listening, asked] of [
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '0.0.0.0'],
  ['::', '127.0.0.1'],
  ['::1', '[::1]'],
] as const) {
  test(`${asked} asked for while a process listens on ${listening}: it is named`, async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, listening, resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { message } = await explained(inUse, `${asked}:${port}:80/tcp`);
    t.regex(message, new RegExp(`:${port}/tcp is in use on the host by \\S+ \\(pid ${process.pid}\\)$`));
  });
}

test('who has the port need not be visible', async (t) => {
  const { message } = await explained(inUse, '127.255.255.254:1:1/tcp');
  t.is(message, '127.255.255.254:1/tcp is in use on the host');
});

test('a port below the limit: the error names the sysctl, its value and the fix', async (t) => {
  const said =
    "cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' to /etc/sysctl.conf (currently 1000), or …: listen tcp 0.0.0.0:80: bind: permission denied";
  t.deepEqual(await explained(said, '0.0.0.0:80:80/tcp'), {
    message:
      'the kernel refuses 0.0.0.0:80/tcp to ordinary users: net.ipv4.ip_unprivileged_port_start is 1000',
    code: 'port-privileged',
    fixes: [
      'take a port from there on, or lower the limit as root: sysctl -w net.ipv4.ip_unprivileged_port_start=80',
    ],
    hasCause: true,
  });
});

test('an address that the host has not', async (t) => {
  const said = 'listen tcp 10.9.9.9:8080: bind: cannot assign requested address';
  t.is((await explained(said, '10.9.9.9:8080:80/tcp')).message, 'the host has no address 10.9.9.9');
});

test('anything else is said in RootlessKit’s words', async (t) => {
  t.is(
    (await explained('unsupported port protocol sctp', '127.0.0.1:80:80/sctp')).message,
    'RootlessKit refuses 127.0.0.1:80:80/sctp: unsupported port protocol sctp',
  );
});
