import type { X509Certificate } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { ensureDir, publishFolder } from '../lib/atomic-file.js';
import { errnoOf } from '../lib/errors.js';
import type { Report } from '../lib/events.js';
import { allSettled } from '../lib/settled.js';
import type { Issuer, KeyPair } from './ca.js';
import { authorities, type AuthorityName, type CertificateSpec } from './certificates.js';
import { writePair, type Target } from './identity.js';
import { inspectAuthority, leafFault, readPair, renewBeforeMs, validity } from './inspect.js';
import { ensureEncryptionConfig, ensureServiceAccountKey } from './secrets.js';

export type PkiChanges = {
  /** Names from the table, of authorities, `sa` and `encryption-config`. */
  created: string[];
  renewed: string[];
};

type Authority = { name: AuthorityName; pair: Partial<KeyPair>; certificate: X509Certificate | undefined };
type Leaf = { spec: CertificateSpec; pair: Partial<KeyPair>; fault: string };

/**
 * Brings `dir` to the state of `table`: makes what is missing, renews leaves that expire within 90 days or no longer match,
 * and leaves everything else as it is. An authority is never replaced. Every file is 0600 in a 0700 folder. The first time all files appear at once, so that a crash leaves no half of a pair behind; later a
 * half-written leaf is recognised, because its key does not fit, and made again.
 *
 * Throws a `U7sError` when something that cannot be replaced is lost, torn or out of date.
 */
export async function ensurePki(
  dir: string,
  table: readonly CertificateSpec[],
  { now = new Date(), report }: { now?: Date; report?: Report } = {},
): Promise<PkiChanges> {
  const staging = `${dir}.new`;
  if (!(await isEmpty(dir))) {
    await ensureDir(dir);
    return ensureIn(dir, { folder: dir, durable: true }, table, now, report);
  }
  await rm(staging, { recursive: true, force: true });
  await ensureDir(staging);
  try {
    const changes = await ensureIn(dir, { folder: staging, durable: false }, table, now, report);
    await publishFolder(staging, dir);
    return changes;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Reads from `dir` what exists and writes to `target` what is missing there. */
async function ensureIn(
  dir: string,
  target: Target,
  table: readonly CertificateSpec[],
  now: Date,
  report: Report | undefined,
): Promise<PkiChanges> {
  const [existing, leaves] = await Promise.all([
    Promise.all((Object.keys(authorities) as AuthorityName[]).map((name) => readAuthority(dir, name, now))),
    Promise.all(table.map(async (spec) => ({ spec, pair: await readPair(dir, spec.name) }))),
  ]);
  warnOfEnd(existing, now, report);
  const certificateOf = new Map(existing.map(({ name, certificate }) => [name, certificate]));
  const unfit = leaves.flatMap(({ spec, pair }): Leaf[] => {
    const authority = certificateOf.get(spec.authority);
    const fault =
      authority === undefined ? 'its authority is new' : leafFault(pair, spec, { by: authority }, now);
    return fault === undefined ? [] : [{ spec, pair, fault }];
  });
  const created: string[] = [];
  const isNew = existing.every(({ certificate }) => certificate === undefined);
  if (await ensureEncryptionConfig(dir, target, isNew)) created.push('encryption-config');
  if (await ensureServiceAccountKey(dir, target)) created.push('sa');

  const missing = existing.filter(({ certificate }) => certificate === undefined);
  if (missing.length === 0 && unfit.length === 0) return { created, renewed: [] };
  const issuers = await ensureIssuers(
    target,
    existing,
    new Set(unfit.map(({ spec }) => spec.authority)),
    now,
  );
  const { issueCertificate } = await import('./ca.js');
  await allSettled(
    unfit.map(async ({ spec }) => {
      const issuer = issuers.get(spec.authority);
      if (issuer === undefined) throw new Error(`no authority ${spec.authority}`);
      await writePair(target, spec.name, await issueCertificate(spec, issuer, now));
    }),
  );
  const isRenewal = ({ pair }: Leaf): boolean => pair.certPem !== undefined;
  const renewed = unfit.filter(isRenewal);
  announce(renewed, report);
  created.push(...missing.map(({ name }) => name));
  created.push(...unfit.filter((leaf) => !isRenewal(leaf)).map(({ spec }) => spec.name));
  return { created, renewed: renewed.map(({ spec }) => spec.name) };
}

/** One line for each reason, since usually all leaves expire on the same day. */
function announce(renewed: Leaf[], report: Report | undefined): void {
  for (const reason of new Set(renewed.map(({ fault }) => fault))) {
    const names = renewed.filter(({ fault }) => fault === reason).map(({ spec }) => spec.name);
    report?.({ kind: 'note', text: `renewed certificates (${reason}): ${names.join(', ')}` });
  }
}

async function readAuthority(dir: string, name: AuthorityName, now: Date): Promise<Authority> {
  const pair = await readPair(dir, name);
  return { name, pair, certificate: inspectAuthority(dir, name, pair, now) };
}

/** Makes the authorities that are missing and loads those that have to sign. */
async function ensureIssuers(
  target: Target,
  existing: Authority[],
  signing: Set<AuthorityName>,
  now: Date,
): Promise<Map<AuthorityName, Issuer>> {
  // Imported only when there is something to make: this takes longer than all that a start with good certificates does.
  const { createAuthority, loadIssuer } = await import('./ca.js');
  const issuers = new Map<AuthorityName, Issuer>();
  await allSettled(
    existing.map(async ({ name, pair: { certPem, keyPem } }) => {
      if (certPem === undefined || keyPem === undefined) {
        const { issuer, ...pair } = await createAuthority(authorities[name], now);
        await writePair(target, name, pair);
        issuers.set(name, issuer);
      } else if (signing.has(name)) {
        issuers.set(name, await loadIssuer({ certPem, keyPem }));
      }
    }),
  );
  return issuers;
}

function warnOfEnd(existing: Authority[], now: Date, report: Report | undefined): void {
  for (const { name, certificate } of existing) {
    const end = certificate === undefined ? Infinity : validity(certificate).end;
    if (end - now.getTime() >= renewBeforeMs) continue;
    const text = `the certificate of the authority ${name} expires on ${new Date(end).toISOString().slice(0, 10)}; start a new cluster before then`;
    report?.({ kind: 'warning', text });
  }
}

async function isEmpty(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length === 0;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
}
