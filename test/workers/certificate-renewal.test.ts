import { X509Certificate } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { mergeIntoKubeconfig } from '#src/kube/kubeconfig-merge.js';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';
import { certificateTable, workerCertificates, type CertificateSpec } from '#src/pki/certificates.js';
import { identityFiles, readIdentityFiles } from '#src/pki/identity.js';
import { certificateExpiries } from '#src/pki/inspect.js';
import { ensurePki } from '#src/pki/rotate.js';
import type { RenewalPlan } from '#src/plan/types.js';
import { lifeOfCertificates } from '#src/membership/certificates.js';
import { certificateRenewal } from '#src/workers/certificate-renewal.js';
import type { WorkerContext } from '#src/workers/worker.js';
import { json, removePki, serveApi } from '../kube/fake-api.js';
import { putShortLived } from '../pki/short-lived.js';
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

/** Remembers what a worker reports and which services it has started again. */
function listener(): { context: WorkerContext; heard: string[]; restarted: string[] } {
  const heard: string[] = [];
  const restarted: string[] = [];
  const context: WorkerContext = {
    since: new Date(),
    ports: { publish: () => Promise.resolve([]) },
    report: (event) => void ('text' in event && heard.push(`${event.kind}: ${event.text}`)),
    restart: (service) => restarted.push(service),
  };
  return { context, heard, restarted };
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
  const { context } = listener();
  const done = certificateRenewal({ pki, server, table, readers: {} }).run(context, life.signal);
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

const own = certificateTable({
  nodeName: 'node1',
  nodeAddress: '10.0.2.100',
  serviceAddress: '10.0.0.1',
  dnsDomain: 'cluster.local',
  apiAddress: '127.0.0.1',
});
const specOf = (wanted: string): CertificateSpec => {
  const spec = own.find(({ name }) => name === wanted);
  if (spec === undefined) throw new Error(`no certificate ${wanted}`);
  return spec;
};

async function controlPlane(t: ExecutionContext): Promise<{ dir: string; pki: string; plan: RenewalPlan }> {
  const dir = await temporary(t);
  const pki = join(dir, 'pki');
  await ensurePki(pki, own);
  const readers = { kubelet: ['kubelet'], 'kubelet-server': ['kubelet'], 'etcd-server': ['etcd'] };
  const kubeconfigs = {
    name: 'usernetes',
    server: 'https://127.0.0.1:6443',
    own: join(dir, 'kubeconfig'),
    candidates: [join(dir, 'config')],
  };
  return { dir, pki, plan: { pki, table: own, readers, kubeconfigs } };
}

const endOf = async (pki: string, name: string): Promise<number> =>
  Date.parse((await certificateExpiries(pki))[name] ?? '');
const isRenewed = async (pki: string, name: string): Promise<boolean> =>
  (await endOf(pki, name)) > Date.now() + 300 * dayMs;

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await delay(20);
}

test('a control plane renews its own when they are due, and those read in time are not shown to anybody', async (t) => {
  const { pki, plan } = await controlPlane(t);
  await putShortLived(pki, specOf('kubelet'), { endsInMs: 20 * 60_000, dueInMs: 500 });
  await putShortLived(pki, specOf('etcd-server'), { endsInMs: 4 * 60_000, dueInMs: 500 });
  const { context, heard, restarted } = listener();
  const life = new AbortController();
  const done = certificateRenewal(plan).run(context, life.signal);
  await until(() => isRenewed(pki, 'kubelet'));
  await until(() => Promise.resolve(restarted.length > 0));
  life.abort();
  await done;
  t.true(await isRenewed(pki, 'etcd-server'));
  t.deepEqual(restarted, ['etcd'], 'the kubelet reads the file again before its certificate ends');
  t.true(heard.some((line) => line.startsWith('note: renewed certificates: ')));
});

test('a certificate that is put there while it runs is noticed', async (t) => {
  const { pki, plan } = await controlPlane(t);
  const { context } = listener();
  const life = new AbortController();
  const done = certificateRenewal(plan).run(context, life.signal);
  await delay(100);
  await putShortLived(pki, specOf('kubelet-server'), { endsInMs: 20 * 60_000, dueInMs: 2_000 });
  await until(() => isRenewed(pki, 'kubelet-server'));
  life.abort();
  await done;
  t.pass();
});

test('the kubeconfigs with the administrator’s certificate are renewed with it', async (t) => {
  const { dir, pki, plan } = await controlPlane(t);
  const admin = async (): Promise<string> => {
    const pem = await readFile(join(pki, 'admin.crt'), 'utf8');
    return Buffer.from(pem).toString('base64');
  };
  const { caPem, certPem, keyPem } = await readIdentityFiles(identityFiles(pki, 'admin'));
  const person = join(dir, 'config');
  const entry = { name: 'usernetes', server: 'https://127.0.0.1:6443', caPem, certPem, keyPem };
  await mergeIntoKubeconfig([person], entry, new AbortController().signal);
  await putShortLived(pki, specOf('admin'), { endsInMs: 60_000, dueInMs: -1_000 });
  const { context } = listener();
  await certificateRenewal(plan).before?.(context, new AbortController().signal);
  t.not(Buffer.from(certPem).toString('base64'), await admin());
  for (const file of [person, join(dir, 'kubeconfig')])
    t.true((await readFile(file, 'utf8')).includes(await admin()));
});

test('before a service starts what is due is renewed; a fault is said, and keeps nothing from its start', async (t) => {
  const { pki, plan } = await controlPlane(t);
  await putShortLived(pki, specOf('kubelet'), { endsInMs: -3600_000, dueInMs: -7200_000 });
  const { context, heard, restarted } = listener();
  const worker = certificateRenewal(plan);
  await worker.before?.(context, new AbortController().signal);
  t.true(await isRenewed(pki, 'kubelet'));
  t.deepEqual(restarted, []);
  t.deepEqual(heard.splice(0), ['note: renewed certificates: kubelet']);

  await rm(join(pki, 'ca.key'));
  await worker.before?.(context, new AbortController().signal);
  t.regex(heard.join('\n'), /^warning: certificates cannot be renewed: /);
});
