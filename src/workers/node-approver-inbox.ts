import { createHash, X509Certificate } from 'node:crypto';
import { addressAnnotation, nodeOf, signers, type SigningRequest } from '../membership/approval.js';

export const approvalReason = 'UsernetesNodeApprover';
const credentialId = 'authentication.kubernetes.io/credential-id';

/** As much of a CertificateSigningRequest as matters here. */
export type RawRequest = {
  metadata: {
    name: string;
    uid: string;
    creationTimestamp: string;
    annotations?: Record<string, string>;
  };
  spec: {
    request: string;
    signerName: string;
    username: string;
    groups?: string[];
    extra?: Record<string, string[]>;
    usages?: string[];
  };
  status?: { conditions?: { type: string; reason?: string }[]; certificate?: string };
};

/** What is kept of a request: that nobody has answered it, or that it has given a kubelet a certificate. */
export type KeptRequest = { uid: string; name: string; raw: RawRequest };
export type IssuedCertificate = { uid: string; node: string; createdAt: number; credential: string };

export function keepRequest(raw: RawRequest): KeptRequest | IssuedCertificate | undefined {
  const { metadata, spec, status } = raw;
  const { conditions = [], certificate } = status ?? {};
  if (conditions.length === 0) return { uid: metadata.uid, name: metadata.name, raw };
  if (certificate === undefined || spec.signerName !== signers.kubelet) return undefined;
  if (!conditions.some(({ type, reason }) => type === 'Approved' && reason === approvalReason))
    return undefined;
  const { subject, raw: der } = new X509Certificate(Buffer.from(certificate, 'base64'));
  const node = nodeOf(/(?<=^CN=).*$/m.exec(subject)?.[0] ?? '');
  if (node === undefined) return undefined;
  const credential = `X509SHA256=${createHash('sha256').update(der).digest('hex')}`;
  return { uid: metadata.uid, node, createdAt: Date.parse(metadata.creationTimestamp), credential };
}

export type PendingRequest = { kept: KeptRequest; parsed: SigningRequest };

/** The requests that wait for an answer. Each is read once, however many there are. */
export type Inbox = {
  fill(present: ReadonlyMap<string, KeptRequest | IssuedCertificate>): void;
  /** The kubelets' certificates of which the API still shows the request. */
  issued(): readonly IssuedCertificate[];
  /** The oldest first, without those that are settled. */
  pending(): Promise<PendingRequest[]>;
  /** It was answered, or is none of ours; what the API still shows of it is not news. */
  settle(request: KeptRequest): void;
};

export function createInbox(): Inbox {
  let present = new Map<string, KeptRequest>();
  let issued: IssuedCertificate[] = [];
  const parsed = new Map<string, SigningRequest>();
  const settled = new Set<string>();

  function forgetOld(): void {
    for (const uid of parsed.keys()) if (!present.has(uid)) parsed.delete(uid);
    for (const uid of settled) if (!present.has(uid)) settled.delete(uid);
  }

  return {
    fill: (next) => {
      present = new Map();
      issued = [];
      for (const [uid, kept] of next) {
        if ('raw' in kept) present.set(uid, kept);
        else issued.push(kept);
      }
    },
    issued: () => issued,
    pending: async () => {
      forgetOld();
      const open = [...present.values()].filter(({ uid }) => !settled.has(uid));
      if (open.length === 0) return [];
      // Loaded only where nodes join: most launchers never need it.
      const { readRequest } = await import('../pki/request.js');
      return open
        .map((kept) => {
          const known = parsed.get(kept.uid) ?? parse(kept.raw, readRequest);
          parsed.set(kept.uid, known);
          return { kept, parsed: known };
        })
        .sort((a, b) => a.parsed.createdAt - b.parsed.createdAt);
    },
    settle: ({ uid }) => void settled.add(uid),
  };
}

function parse(
  { metadata, spec }: RawRequest,
  read: (pem: string) => SigningRequest['requested'],
): SigningRequest {
  const address = metadata.annotations?.[addressAnnotation];
  const credential = spec.extra?.[credentialId]?.[0];
  return {
    uid: metadata.uid,
    username: spec.username,
    groups: spec.groups ?? [],
    signerName: spec.signerName,
    usages: spec.usages ?? [],
    requested: readable(() => read(Buffer.from(spec.request, 'base64').toString())),
    ...(address === undefined ? {} : { address }),
    ...(credential === undefined ? {} : { credential }),
    createdAt: Date.parse(metadata.creationTimestamp),
  };
}

/** A request that cannot be read becomes one for nothing, which is not allowed. */
function readable(read: () => SigningRequest['requested']): SigningRequest['requested'] {
  try {
    return read();
  } catch {
    return { subject: [], dns: [], ips: [], otherNames: 0 };
  }
}
