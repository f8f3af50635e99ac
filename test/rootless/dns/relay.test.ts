import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rename, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createFrameReader, frame } from '#src/rootless/dns/frames.js';
import { serveDnsInNode } from '#src/rootless/dns/in-node.js';
import { serveDnsOnHost, type HostDns } from '#src/rootless/dns/on-host.js';
import { temporary } from '../../temporary.js';
import { addressIn, nameserver, question } from '../../nameserver.js';

/** Free on both transports, most likely: above it all servers of a test listen, each on an address of its own. */
let lastPort = 21_000 + (process.pid % 500) * 20;

type Relay = {
  host: HostDns;
  folder: string;
  port: number;
  resolvConf: string;
  ask: (name: string, id?: number) => Promise<Buffer>;
  askByTcp: (name: string) => Promise<Buffer>;
};

/** The node is another network; here another port stands in for it. */
async function relay(t: ExecutionContext, text: string): Promise<Relay> {
  const dir = await temporary(t);
  const folder = join(dir, 'dns');
  const resolvConf = join(dir, 'resolv.conf');
  await writeFile(resolvConf, text);
  const [port, inNode] = [(lastPort += 1), (lastPort += 1)];
  const host = await serveDnsOnHost(folder, { path: resolvConf, port });
  const end = await serveDnsInNode({ address: '127.0.0.1', folder }, inNode);
  t.teardown(() => host.close());
  t.teardown(end);
  const ask = async (name: string, id?: number): Promise<Buffer> => {
    const socket = createSocket('udp4');
    socket.send(question(name, id), inNode, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    return answer;
  };
  const askByTcp = (name: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const socket = connect(inNode, '127.0.0.1');
      socket.on(
        'data',
        createFrameReader((answer) => {
          resolve(answer);
          socket.destroy();
        }),
      );
      socket.once('error', reject);
      socket.write(frame(question(name)));
    });
  return { host, folder, port, resolvConf, ask, askByTcp };
}

async function serve(t: ExecutionContext, ...args: Parameters<typeof nameserver>): Promise<string[]> {
  const { asked, close } = await nameserver(...args);
  t.teardown(close);
  return asked;
}

test('the second server answers where the first is dead', async (t) => {
  const { ask, askByTcp, port, host } = await relay(t, 'nameserver 127.0.0.9\nnameserver 127.0.0.10\n');
  await serve(t, '127.0.0.10', port, { 'wiki.corp.example': '192.0.2.7' });
  const answer = await ask('wiki.corp.example', 99);
  t.is(answer.readUInt16BE(0), 99, 'the number of the question is the asker’s own');
  t.is(addressIn(answer), '192.0.2.7');
  t.is(addressIn(await askByTcp('wiki.corp.example')), '192.0.2.7');
  t.is((await ask('nowhere.example')).readUInt8(3) & 15, 3, 'that there is no such name is passed on');
  t.deepEqual(host.silent(), ['127.0.0.9']);
});

test('a server with an IPv6 address is asked', async (t) => {
  const { ask, askByTcp, port } = await relay(t, 'nameserver ::1\n');
  await serve(t, '::1', port, { 'six.example': '192.0.2.6' });
  t.is(addressIn(await ask('six.example')), '192.0.2.6');
  t.is(addressIn(await askByTcp('six.example')), '192.0.2.6');
});

test('an answer that is cut off is asked for again by TCP', async (t) => {
  const { ask, askByTcp, port } = await relay(t, 'nameserver 127.0.0.11\n');
  const asked = await serve(t, '127.0.0.11', port, { 'long.example': '192.0.2.9' }, { truncated: true });
  t.not((await ask('long.example')).readUInt8(2) & 2, 0, 'the asker hears that there is more');
  t.is(addressIn(await askByTcp('long.example')), '192.0.2.9');
  t.deepEqual(asked, ['udp long.example', 'tcp long.example']);
});

test('many questions at once each get their own answer', async (t) => {
  const { ask, port } = await relay(t, 'nameserver 127.0.0.12\n');
  const names = Object.fromEntries([...Array(100).keys()].map((n) => [`n${n}.example`, `192.0.2.${n}`]));
  await serve(t, '127.0.0.12', port, names);
  // All with the same number, as different clients may have it.
  const answers = await Promise.all(Object.keys(names).map((name) => ask(name, 7)));
  t.deepEqual(answers.map(addressIn), Object.values(names));
});

test('another resolv.conf counts at once, written in place or put in its place', async (t) => {
  const { ask, host, port, resolvConf } = await relay(t, 'nameserver 127.0.0.13\nsearch at.home\n');
  await serve(t, '127.0.0.13', port, { 'a.example': '192.0.2.13' });
  await serve(t, '127.0.0.14', port, { 'a.example': '192.0.2.14' });
  t.is(addressIn(await ask('a.example')), '192.0.2.13');
  const searched = new Promise<readonly string[]>((resolve) => host.onSearch(resolve));
  await writeFile(`${resolvConf}.new`, 'nameserver 127.0.0.14\nsearch corp.example\n');
  await rename(`${resolvConf}.new`, resolvConf);
  t.is(addressIn(await ask('a.example')), '192.0.2.14');
  t.deepEqual(await searched, ['corp.example']);
  await writeFile(resolvConf, 'nameserver 127.0.0.13\n');
  t.is(addressIn(await ask('a.example')), '192.0.2.13');
});

test('what is no question does no harm, and the sockets go with the relay', async (t) => {
  const { ask, folder, host, port } = await relay(t, 'nameserver 127.0.0.15\n');
  await serve(t, '127.0.0.15', port, { 'a.example': '192.0.2.1' });
  const socket = connect(join(folder, 'udp.sock'));
  socket.write(Buffer.concat([frame(Buffer.from('short')), Buffer.from([255, 255, 1])]));
  t.is(addressIn(await ask('a.example')), '192.0.2.1');
  await host.close();
  await t.throwsAsync(stat(folder), { code: 'ENOENT' });
});
