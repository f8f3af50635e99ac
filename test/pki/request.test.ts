import { createPrivateKey, webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import test from 'ava';
import { workerCertificates } from '#src/pki/certificates.js';
import { createRequest, readRequest } from '#src/pki/request.js';
import { x509 } from '#src/pki/x509.js';

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
      ['local-storage', 'usernetes:local-storage:second', 'usernetes:local-storage'],
      ['metrics', 'usernetes:metrics:second', 'usernetes:metrics'],
      ['network-policies', 'usernetes:network-policies:second', 'usernetes:network-policies'],
    ],
  );
});

test('what is no request is told apart', (t) => {
  t.throws(() => readRequest('no request'));
});

/** A request, signed with a throw-away key, with whatever is wanted in it. */
async function handmade(attributes: X509.Attribute[]): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: ['system:node:second'] }],
    keys,
    signingAlgorithm: algorithm,
    attributes,
  });
  return `${request.toString('pem')}\n`;
}
const named = (...dns: string[]): X509.Extension =>
  new x509.SubjectAlternativeNameExtension(dns.map((value) => ({ type: 'dns' as const, value })));
const asking = (...extensions: X509.Extension[]): X509.Attribute => new x509.ExtensionsAttribute(extensions);

test('names in a second place are not overlooked: others find them there', async (t) => {
  const usages = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign);
  const hidden: Record<string, X509.Attribute[]> = {
    'in a second attribute': [asking(named('second')), asking(named('kubernetes'))],
    'in a second extension': [asking(named('second'), named('kubernetes'))],
    'after an extension of another kind': [asking(usages), asking(named('kubernetes'))],
    'of another kind': [asking(usages)],
    'in an attribute of another kind': [new x509.ChallengePasswordAttribute('word')],
  };
  for (const [where, attributes] of Object.entries(hidden))
    t.true(readRequest(await handmade(attributes)).otherNames > 0, where);
  t.is(readRequest(await handmade([asking(named('second'))])).otherNames, 0);
  t.is(readRequest(await handmade([])).otherNames, 0);
});

test('a request is one block of PEM: others may take the second, or skip the first', async (t) => {
  const good = await handmade([]);
  for (const text of [`${good}${good}`, `text\n${good}`, `${good}text`, good.replaceAll('REQUEST', 'REQUES')])
    t.throws(() => readRequest(text));
  t.throws(() => readRequest(good.replace('\n', '\nProc-Type: 4\n\n')), undefined, 'with a header');
});
