import { createPrivateKey } from 'node:crypto';
import test from 'ava';
import { workerCertificates } from '#src/pki/certificates.js';
import { createRequest, readRequest } from '#src/pki/request.js';

const table = workerCertificates('second', '192.0.2.11');

test('a request says what it was made for', async (t) => {
  const server = table.find(({ name }) => name === 'kubelet-server');
  if (server === undefined) return t.fail();
  const { requestPem, keyPem } = await createRequest(server);
  t.deepEqual(readRequest(requestPem), {
    subject: ['O=system:nodes', 'CN=system:node:second'],
    dns: ['second'],
    ips: ['192.0.2.11'],
    otherNames: 0,
  });
  t.is(createPrivateKey(keyPem).asymmetricKeyType, 'ec');
});

test('a client asks for no names', async (t) => {
  for (const spec of table.filter(({ usage }) => usage === 'client')) {
    const { dns, ips } = readRequest((await createRequest(spec)).requestPem);
    t.deepEqual([...dns, ...ips], [], spec.name);
  }
});

test('each node has an identity of its own for each component', (t) => {
  t.deepEqual(
    table.map(({ name, commonName, organization }) => [name, commonName, organization]),
    [
      ['kubelet', 'system:node:second', 'system:nodes'],
      ['kubelet-server', 'system:node:second', 'system:nodes'],
      ['kube-proxy', 'usernetes:kube-proxy:second', 'usernetes:kube-proxy'],
      ['flannel', 'usernetes:flannel:second', 'usernetes:flannel'],
    ],
  );
});

test('what is no request is told apart', (t) => {
  t.throws(() => readRequest('no request'));
});
