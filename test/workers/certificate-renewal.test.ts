import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';
import { workerCertificates } from '#src/pki/certificates.js';
import { lifeOfCertificates } from '#src/membership/certificates.js';
import { certificateRenewal } from '#src/workers/certificate-renewal.js';
import { json, removePki, serveApi } from '../kube/fake-api.js';
import { temporary } from '../temporary.js';

test.after.always(removePki);

const table = workerCertificates('b', '192.0.2.11');
const dayMs = 24 * 3600_000;

/** The certificates of a node that has joined, made so many days ago. */
async function pkiOf(t: Parameters<typeof temporary>[0], daysAgo: number): Promise<string> {
  const dir = await temporary(t);
  const made = new Date(Date.now() - daysAgo * dayMs);
  const [api, kubelets] = [
    await createAuthority('kubernetes', made),
    await createAuthority('kubelet-ca', made),
  ];
  await writeFile(join(dir, 'ca.crt'), api.certPem);
  for (const spec of table) {
    const { issuer } = spec.authority === 'ca' ? api : kubelets;
    const { certPem, keyPem } = await issueCertificate(spec, issuer, made);
    await writeFile(join(dir, `${spec.name}.crt`), certPem);
    await writeFile(join(dir, `${spec.name}.key`), keyPem);
  }
  return dir;
}

test('nothing is asked for until the first certificate is due', async (t) => {
  const pki = await pkiOf(t, 1);
  let asked = 0;
  const { server } = await serveApi(t, (_, response) => {
    asked++;
    json(response, 200, {});
  });
  const { renewAt, end } = await lifeOfCertificates(pki, table);
  t.true(renewAt - Date.now() > 270 * dayMs && end > renewAt);
  const life = new AbortController();
  const context = {
    since: new Date(),
    ports: { publish: () => Promise.resolve([]) },
    report: () => undefined,
  };
  const done = certificateRenewal({ pki, server, table }).run(context, life.signal);
  await delay(50);
  life.abort();
  await done;
  t.is(asked, 0);
});

test('a certificate that lives for weeks is due after half of its life', async (t) => {
  const pki = await pkiOf(t, 0);
  const file = join(pki, 'kubelet.crt');
  const { validFrom, validTo } = new X509Certificate(await readFile(file, 'utf8'));
  t.true(Date.parse(validTo) - Date.parse(validFrom) > 364 * dayMs);
  const { renewAt } = await lifeOfCertificates(pki, table);
  t.true(
    Math.abs(renewAt - (Date.parse(validTo) - 90 * dayMs)) < 1000,
    'one of a year 90 days before its end',
  );
});
