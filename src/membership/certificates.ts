import { X509Certificate } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { KubeClient } from '../kube/client.js';
import { connect } from '../kube/connect.js';
import { requestCertificate } from '../kube/signing-request.js';
import { ensureDir, publishFolder, writeFileAtomic } from '../lib/atomic-file.js';
import type { CertificateSpec } from '../pki/certificates.js';
import { authorityFile, identityFiles, writePair, type Target } from '../pki/identity.js';
import { leafFault, readPair, renewalTime, validity } from '../pki/inspect.js';
import { renewLeaves } from '../pki/renew.js';
import { addressAnnotation, signers } from './approval.js';

/** A client of the API with the identity of this node's kubelet, whose files are in `dir`. */
export function connectAsNode(server: string, dir: string): Promise<KubeClient> {
  return connect({ server, ...identityFiles(dir, 'kubelet') });
}

/**
 * Obtains the certificates of a node that joins, in `dir`: the kubelet's by the token, then the others by the kubelet's. The
 * keys are made here and never leave. All files appear at once. The control plane records `address` as the node's.
 */
export async function obtainCertificates(
  dir: string,
  table: readonly CertificateSpec[],
  { server, ca, token, address }: { server: string; ca: string; token: KubeClient; address: string },
  signal: AbortSignal,
): Promise<void> {
  const staging = `${dir}.new`;
  await rm(staging, { recursive: true, force: true });
  await ensureDir(staging);
  try {
    await writeFileAtomic(authorityFile(staging), ca, { durable: false });
    const [kubelet, ...others] = table;
    if (kubelet === undefined) throw new Error('a node needs certificates');
    const target = { folder: staging, durable: false };
    await obtain(target, kubelet, token, signal, { [addressAnnotation]: address });
    const node = await connectAsNode(server, staging);
    await Promise.all(others.map((spec) => obtain(target, spec, node, signal)));
    node.close();
    await rm(dir, { recursive: true, force: true });
    await publishFolder(staging, dir);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * Renews those that are due or no longer fit: from `server`, by the kubelet's certificate, or by the authorities of a control
 * plane. Returns their names.
 */
export function renewCertificates(
  dir: string,
  table: readonly CertificateSpec[],
  server: string | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  return server === undefined ? renewLeaves(dir, table) : renewBy(server, dir, table, signal);
}

async function renewBy(
  server: string,
  dir: string,
  table: readonly CertificateSpec[],
  signal: AbortSignal,
): Promise<string[]> {
  const authority = new X509Certificate(await readFile(authorityFile(dir), 'utf8'));
  const faults = await Promise.all(
    table.map(async (spec) => {
      // A node has the certificate of the API's authority only.
      const issuer = spec.authority === 'ca' ? { by: authority } : { notBy: authority };
      return leafFault(await readPair(dir, spec.name), spec, issuer, new Date());
    }),
  );
  const unfit = table.filter((_, index) => faults[index] !== undefined);
  if (unfit.length === 0) return [];
  const node = await connectAsNode(server, dir);
  try {
    await Promise.all(unfit.map((spec) => obtain({ folder: dir, durable: true }, spec, node, signal)));
  } finally {
    node.close();
  }
  return unfit.map(({ name }) => name);
}

/** When the first of them is due, and when each of them ends, by name; milliseconds since the epoch, 0 where there is none. */
export async function lifeOfCertificates(
  dir: string,
  table: readonly CertificateSpec[],
): Promise<{ renewAt: number; end: number; ends: Map<string, number> }> {
  const lives = await Promise.all(
    table.map(async ({ name }) => {
      const certificate = parsed((await readPair(dir, name)).certPem);
      if (certificate === undefined) return { name, renewAt: 0, end: 0 };
      return { name, renewAt: renewalTime(certificate), end: validity(certificate).end };
    }),
  );
  return {
    renewAt: Math.min(...lives.map(({ renewAt }) => renewAt)),
    end: Math.min(...lives.map(({ end }) => end)),
    ends: new Map(lives.map(({ name, end }) => [name, end])),
  };
}

function parsed(certPem: string | undefined): X509Certificate | undefined {
  try {
    return certPem === undefined ? undefined : new X509Certificate(certPem);
  } catch {
    return undefined; // torn, or something else
  }
}

async function obtain(
  target: Target,
  spec: CertificateSpec,
  client: KubeClient,
  signal: AbortSignal,
  annotations?: Record<string, string>,
): Promise<void> {
  const { createRequest } = await import('../pki/request.js');
  const { requestPem, keyPem } = await createRequest(spec);
  const purpose = spec.usage === 'server' ? 'server auth' : 'client auth';
  const certPem = await requestCertificate(
    client,
    {
      requestPem,
      signerName: signerOf(spec),
      usages: ['digital signature', purpose],
      ...(annotations === undefined ? {} : { annotations }),
    },
    signal,
  );
  await writePair(target, spec.name, { certPem, keyPem });
}

function signerOf({ name, usage }: CertificateSpec): string {
  if (usage === 'server') return signers.kubeletServer;
  return name === 'kubelet' ? signers.kubelet : signers.client;
}
