import { readFile } from 'node:fs/promises';
import { clusterAddons } from '../../addons/cluster-addons.js';
import { metricsObjects } from '../../addons/metrics.js';
import { prepareAddon } from '../../addons/plan.js';
import { addons } from '../../addons/table.js';
import { policyWarningObjects } from '../../addons/policy-warning.js';
import { installedArtifact, placeOfProgram } from '../../artifacts/resolve.js';
import { bundledImages } from '../../images/bundled.js';
import { kubeconfigCandidates } from '../../kube/kubeconfig-merge.js';
import { isTransient } from '../../kube/wait.js';
import { architecture } from '../../lib/architecture.js';
import { step } from '../../lib/events.js';
import { lifeOfCertificates, renewCertificates } from '../../membership/certificates.js';
import { sharedSettings } from '../../settings/shared.js';
import { certificateTable, workerCertificates } from '../../pki/certificates.js';
import { authorityFile } from '../../pki/identity.js';
import { ensurePki } from '../../pki/rotate.js';
import { binaryOf, type Artifacts } from '../../plan/artifacts.js';
import { certificateInput } from '../../plan/certificates.js';
import { planInstance } from '../../plan/instance.js';
import type { HostFacts, InstancePlan, Made } from '../../plan/types.js';
import { hostAddressIn } from '../../rootless/network.js';
import { addonsOf } from '../../settings/addon-names.js';
import { features, hasFeature } from '../../settings/features.js';
import { roleOf } from '../../settings/role.js';
import type { Settings } from '../../settings/schema.js';
import { artifactContext } from '../artifact-context.js';
import type { InstanceContext } from '../context.js';
import { lacksPolicies } from './policies.js';

/** Certificates, images and addons, made while RootlessKit opens the namespaces; returns what runs in them. */
export async function prepareCluster(
  context: InstanceContext,
  settings: Settings,
  artifacts: Artifacts,
  host: HostFacts,
): Promise<InstancePlan> {
  const { paths } = context;
  if (!settings.kubernetes)
    return planInstance(settings, paths, artifacts, host, { addons: { first: [], later: [] } });
  const [images, further, unenforced] = await Promise.all([
    prepareImages(context, settings, artifacts),
    prepareAddons(context, settings, artifacts),
    lacksPolicies(context, settings, artifacts),
    prepareCertificates(context, settings),
  ]);
  const possible: Settings = unenforced
    ? { ...settings, without: [...settings.without, 'netpol'] }
    : settings;
  const objects = await objectsOf(context, possible, images.coredns.reference, unenforced);
  const kubeconfigs = kubeconfigCandidates({ ...context.kubeconfig, home: paths.home });
  const made = { images, further, unenforced, ...objects, kubeconfigs };
  return planInstance(possible, paths, artifacts, host, made);
}

async function prepareAddons(
  context: InstanceContext,
  settings: Settings,
  artifacts: Artifacts,
): Promise<NonNullable<Made['further']>> {
  const made = await Promise.all(
    addonsOf(settings).map((name) => prepareAddon(context, addons[name], artifacts, settings.nodeName)),
  );
  return {
    images: made.map(({ image }) => image),
    addons: made.map(({ plan }) => plan),
    helm: placeOfProgram('helm', 'helm', artifactContext(context)),
  };
}

function prepareImages(
  context: InstanceContext,
  { severalNodes }: Settings,
  artifacts: Artifacts,
): ReturnType<typeof bundledImages> {
  const { paths, report, signal } = context;
  const coredns = artifacts.get('coredns');
  // No start waits for what only `check network` needs; but once it is here, each start has it at hand.
  const netcheck = severalNodes ? installedArtifact('netcheck', artifactContext(context)) : undefined;
  if (coredns === undefined) throw new Error('the plan needs coredns');
  const binary = binaryOf(artifacts);
  return bundledImages({
    architecture: architecture(),
    coredns: { binary: binary('coredns'), version: coredns.version },
    ...(netcheck === undefined
      ? {}
      : { netcheck: { binary: netcheck.binaries['netcheck'] ?? '', version: netcheck.version } }),
    dir: paths.images,
    report,
    signal,
  });
}

async function prepareCertificates(context: InstanceContext, settings: Settings): Promise<void> {
  await step(context.report, 'pki', 'certificates', async (progress) => {
    const { created, renewed } = await ensureCertificates(context, settings);
    if (created.length > 0) progress(`${created.length} made`);
    if (renewed.length > 0) progress(`renewed: ${renewed.join(', ')}`);
  });
}

/**
 * Those of a worker come from its control plane, which is not asked until they are due. If it does not answer, those that are
 * there must do: they are renewed while the node runs, too.
 */
async function ensureCertificates(
  { paths: { pki }, report, signal }: InstanceContext,
  settings: Settings,
): Promise<{ created: string[]; renewed: string[] }> {
  const { controlPlane, hostIp, nodeName } = settings;
  if (controlPlane === undefined)
    return ensurePki(pki, certificateTable(certificateInput(settings)), { report });
  const table = workerCertificates(nodeName, hostIp ?? '');
  const renewed = await renewCertificates(pki, table, controlPlane, signal).catch(async (error: unknown) => {
    if (!isTransient(error) || (await lifeOfCertificates(pki, table)).end < Date.now()) throw error;
    return [];
  });
  return { created: [], renewed };
}

/** None on a worker: they are the control plane's to apply. */
async function objectsOf(
  { paths: { pki }, projectRoot }: InstanceContext,
  settings: Settings,
  coredns: string,
  unenforced: boolean,
): Promise<Pick<Made, 'addons' | 'metrics'>> {
  if (roleOf(settings) === 'worker') return { addons: { first: [], later: [] } };
  const { nodeName, dnsAddress, dnsDomain, nodeSubnet, severalNodes } = settings;
  const hostAddress = hostAddressIn(nodeSubnet);
  const [rootCa, kubeletCa] = await Promise.all([
    readFile(authorityFile(pki), 'utf8'),
    readFile(authorityFile(pki, 'kubelet-ca'), 'utf8'),
  ]);
  const facts = sharedSettings(settings);
  const values = { nodeName, coredns, dnsAddress, dnsDomain, hostAddress, rootCa, kubeletCa, facts };
  // The API of metrics is registered, or removed, by a worker of its own.
  const chosen = features.filter((feature) => feature !== 'metrics' && hasFeature(settings, feature));
  const [addons, metrics, policyWarning] = await Promise.all([
    clusterAddons(projectRoot, values, chosen, severalNodes),
    metricsObjects(projectRoot, rootCa),
    policyWarningObjects(projectRoot),
  ]);
  return {
    addons: unenforced
      ? { ...addons, later: [...addons.later, ...policyWarning] }
      : { ...addons, gone: policyWarning },
    metrics,
  };
}
