import { setTimeout as delay } from 'node:timers/promises';
import { addressAnnotation } from '#src/membership/approval.js';
import type { CertificateSpec } from '#src/pki/certificates.js';
import { createRequest } from '#src/pki/request.js';
import type { Ground } from './ground.js';
import type { Hand } from './hand.js';
import type { HttpQuestion } from './hand-agent.js';

const folder = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export type Wanted = Partial<Pick<CertificateSpec, 'commonName' | 'organization' | 'hosts' | 'usage'>> & {
  signerName: string;
  usages: readonly string[];
  /** What a node that joins says of itself. */
  address?: string;
};

export const kubeletClient = {
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: ['digital signature', 'client auth'],
} as const;
export const anyClient = {
  signerName: 'kubernetes.io/kube-apiserver-client',
  usages: ['digital signature', 'client auth'],
} as const;
export const kubeletServer = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'server auth'],
} as const;

/**
 * Asks for a certificate, and waits for the answer: `denied: why`, `issued`, `403` where the API did not take the request,
 * or `not answered`. The request is removed afterwards.
 */
export async function askForCertificate(
  ground: Ground,
  hand: Hand,
  who: Partial<HttpQuestion>,
  { signerName, usages, address, ...spec }: Wanted,
): Promise<string> {
  const { requestPem } = await createRequest({
    name: 'wanted',
    authority: 'ca',
    commonName: 'nobody',
    usage: 'client',
    hosts: [],
    ...spec,
  });
  const made = await hand.ask(
    ground.api(folder, {
      ...who,
      method: 'POST',
      headers: { ...who.headers, 'content-type': 'application/json' },
      body: JSON.stringify({
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: {
          generateName: 'attack-',
          ...(address === undefined ? {} : { annotations: { [addressAnnotation]: address } }),
        },
        spec: { request: Buffer.from(requestPem).toString('base64'), signerName, usages },
      }),
    }),
  );
  if ('error' in made) return made.error;
  if (made.status !== 201) return `${made.status} ${(JSON.parse(made.body) as { message?: string }).message}`;
  const { name } = (JSON.parse(made.body) as { metadata: { name: string } }).metadata;
  try {
    return await answerTo(ground, name);
  } finally {
    await ground.admin('DELETE', `${folder}/${name}`);
  }
}

type Request = { status?: { certificate?: string; conditions?: { type: string; message?: string }[] } };

async function answerTo({ admin }: Ground, name: string): Promise<string> {
  const end = Date.now() + 5_000;
  for (;;) {
    const found = await admin('GET', `${folder}/${name}`);
    const { status } = ('body' in found ? JSON.parse(found.body) : {}) as Request;
    const denied = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (denied !== undefined) return `denied: ${denied.message}`;
    if (status?.certificate !== undefined) return 'issued';
    if (Date.now() > end) return status?.conditions === undefined ? 'not answered' : 'approved, not issued';
    await delay(50);
  }
}
