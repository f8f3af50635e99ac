import { runOk } from '#src/lib/exec.js';
import type { TestHost } from './hosts.js';

/** What somebody tries who has certificates of a node: a request to the API, or one for a certificate. */
export type AsNode =
  | { method: string; path: string; body?: object; contentType?: string }
  | {
      signerName: string;
      usages: string[];
      subject: { commonName: string; organization: string };
      hosts: string[];
      /** Only make the request, and do not wait for an answer. */
      only?: true;
      /** At least 600. */
      expirationSeconds?: number;
      /** Put the certificate in place of that of this name. */
      keep?: string;
    };

/** `ok`, or the code and the words of the refusal. */
export type Outcome = { ok: true; certificate?: string } | { ok: false; code: string; message: string };

const script = `
  const [server, pki, attempts] = process.argv.slice(1);
  const { connect } = await import('#src/kube/connect.js');
  const { requestCertificate } = await import('#src/kube/signing-request.js');
  const { createRequest } = await import('#src/pki/request.js');
  const { identityFiles, writePair } = await import('#src/pki/identity.js');
  const signal = AbortSignal.timeout(120_000);
  const client = await connect({ server, ...identityFiles(pki, 'kubelet') });
  async function attempt({ method, path, ...rest }) {
    if (method !== undefined) return void await client.request(method, path, { ...rest, signal });
    const { signerName, usages, subject, hosts, only, expirationSeconds, keep } = rest;
    const { requestPem, keyPem } = await createRequest({ ...subject, hosts });
    const limited = ({ body }) => ({ body: { ...body, spec: { ...body.spec, expirationSeconds } }, signal });
    const short = { ...client, request: (method, path, made) => client.request(method, path, limited(made)) };
    if (!only) {
      const certPem = await requestCertificate(expirationSeconds ? short : client, { requestPem, signerName, usages }, signal);
      if (keep) await writePair({ folder: pki, durable: false }, keep, { certPem, keyPem });
      return certPem;
    }
    await client.request('POST', '/apis/certificates.k8s.io/v1/certificatesigningrequests', {
      body: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { generateName: 'flood-' },
        spec: { request: Buffer.from(requestPem).toString('base64'), signerName, usages },
      },
      signal,
    });
  }
  const outcomes = await Promise.all(JSON.parse(attempts).map((each) => attempt(each).then(
    (certificate) => ({ ok: true, ...(certificate ? { certificate } : {}) }),
    ({ code, message }) => ({ ok: false, code: String(code), message }),
  )));
  console.log(JSON.stringify(outcomes));
  process.exit();`;

/** Tries each, all at once, from `host` with the kubelet's certificate in the folder `pki`. */
export async function tryAsNode(
  host: TestHost,
  { server, pki }: { server: string; pki: string },
  attempts: readonly AsNode[],
): Promise<Outcome[]> {
  const [program = '', ...inside] = host.inside;
  const node = [process.execPath, '--input-type=module', '-e', script, server, pki, JSON.stringify(attempts)];
  return JSON.parse(await runOk(program, [...inside, ...node])) as Outcome[];
}
