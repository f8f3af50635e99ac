import { setTimeout as delay } from 'node:timers/promises';
import { U7sError } from '../lib/errors.js';
import type { KubeClient } from './client.js';

const collection = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const pollMs = { first: 50, longest: 1_000 };
/** A control plane with a node approver answers within moments. */
const limitMs = 60_000;

type Status = {
  status?: { certificate?: string; conditions?: { type: string; message?: string }[] };
  metadata: { name: string };
};

/** The control plane has read the request and refused it. */
export class DeniedError extends U7sError {
  override readonly name = 'DeniedError';
}

export type CertificateRequest = {
  /** PEM. */
  requestPem: string;
  signerName: string;
  usages: string[];
  /** Of the request, for who answers it. */
  annotations?: Record<string, string>;
};

/** Requests a certificate from the cluster and waits for it. Returns it as PEM. */
export async function requestCertificate(
  client: KubeClient,
  request: CertificateRequest,
  signal: AbortSignal,
): Promise<string> {
  const { requestPem, signerName, usages, annotations = {} } = request;
  const made = (await client.request('POST', collection, {
    body: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { generateName: 'usernetes-', annotations },
      spec: { request: Buffer.from(requestPem).toString('base64'), signerName, usages },
    },
    signal,
  })) as Status;
  const end = performance.now() + limitMs;
  for (let waitMs = pollMs.first; ; waitMs = Math.min(waitMs * 1.5, pollMs.longest)) {
    const { status } = await client.get<Status>(`${collection}/${made.metadata.name}`, { signal });
    if (status?.certificate) return Buffer.from(status.certificate, 'base64').toString();
    const refusal = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refusal !== undefined)
      throw new DeniedError(
        'request-denied',
        `the control plane denied the certificate: ${refusal.message ?? 'no reason given'}`,
      );
    if (performance.now() > end) {
      throw new U7sError(
        'certificate-timeout',
        `the control plane has not answered the request for a certificate within ${limitMs / 1000} s`,
        {
          fixes: [{ on: 'control-plane', text: 'see why', commands: [['status'], ['logs', 'launcher']] }],
        },
      );
    }
    await delay(waitMs, undefined, { signal });
  }
}
