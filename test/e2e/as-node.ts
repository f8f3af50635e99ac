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
    };

/** `ok`, or the code and the words of the refusal. */
export type Outcome = { ok: true; certificate?: string } | { ok: false; code: string; message: string };

const script = `
  const [server, pki, attempts] = process.argv.slice(1);
  const { connect } = await import('#src/kube/connect.js');
  const { requestCertificate } = await import('#src/kube/signing-request.js');
  const { createRequest } = await import('#src/pki/request.js');
  const { identityFiles } = await import('#src/pki/identity.js');
  const signal = AbortSignal.timeout(120_000);
  const client = await connect({ server, ...identityFiles(pki, 'kubelet') });
  async function attempt({ method, path, ...rest }) {
    if (method !== undefined) return void await client.request(method, path, { ...rest, signal });
    const { signerName, usages, subject, hosts, only } = rest;
    const { requestPem } = await createRequest({ ...subject, hosts });
    if (!only) return requestCertificate(client, { requestPem, signerName, usages }, signal);
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
