import { execa } from 'execa';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultNodeName } from '#src/settings/node-name.js';
import { binaryOf, type Artifacts } from '#src/plan/artifacts.js';
import { certificateInput } from '#src/plan/certificates.js';
import { planRegistries } from '#src/plan/registries.js';
import { writeRegistries } from '#src/instance/start/registries.js';
import { planInstance } from '#src/plan/instance.js';
import { planNamespaces } from '#src/plan/namespaces.js';
import type { HostFacts } from '#src/plan/types.js';
import { parseSettings, type Settings } from '#src/settings/schema.js';
import { detectCgroups } from '#src/host/cgroup.js';
import { bundledImages, type BundledImage } from '#src/images/bundled.js';
import { hostAddressIn, hostNames } from '#src/rootless/network.js';
import { loadAddons } from '#src/kube/addons.js';
import type { KubeObject } from '#src/kube/object.js';
import { certificateTable } from '#src/pki/certificates.js';
import { ensurePki } from '#src/pki/rotate.js';
import { asOwner, installedArtifacts, projectRoot, type Owner } from './machine.js';
import type { Observed } from './observer.js';
import {
  floorLauncher,
  floorServices,
  naiveLauncher,
  naiveServices,
  type ShellPlan,
} from './shell-launchers.js';

/** One way to start a cluster. */
export type Launcher = {
  name: string;
  observed: Observed;
  start(): Started;
  /** Takes away every trace, for the next start to be a cold one. */
  clean(): Promise<void>;
};

export type Started = {
  /** Settles when the launcher says that all is up; rejects when it fails. */
  up: Promise<void>;
  /** Stops the cluster, its data staying. */
  stop(): Promise<void>;
};

/** Keeps what other launchers are given: scripts, images, certificates, or the launcher of another commit. */
export const givenCluster = 'bench-given';

/** Our launcher and two shell launchers of the same binaries, flags and files; each has a cluster of its own. */
export async function prepareLaunchers(
  owner: Owner,
  apiPort: number,
): Promise<{ launchers: Launcher[]; cleanUp: () => Promise<void> }> {
  const artifacts = await installedArtifacts(owner);
  const given = owner.paths(givenCluster).state;
  await removeCluster(owner, givenCluster);
  const scratch = await mkdtemp(join(tmpdir(), 'u7s-bench-'));
  try {
    const images = await bundledImages({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      coredns: {
        binary: binaryOf(artifacts)('coredns'),
        version: artifacts.get('coredns')?.version ?? '',
      },
      dir: join(scratch, 'images'),
      report: () => undefined,
      signal: AbortSignal.timeout(60_000),
    });
    const located = (image: BundledImage): BundledImage => ({
      ...image,
      archive: image.archive.replace(scratch, given),
    });
    const shellPlan = (cluster: string, pki: string): Promise<ShellPlan> =>
      planShell(owner, artifacts, specOf(cluster, apiPort), pki, {
        pause: located(images.pause),
        coredns: located(images.coredns),
      });
    const naive = await shellPlan('bench-naive', owner.paths('bench-naive').pki);
    const floor = await shellPlan('bench-floor', join(given, 'pki'));
    await ensurePki(join(scratch, 'pki'), floor.certificates);
    const files = {
      'naive.sh': naiveLauncher(naive, join(given, 'naive-services.sh')),
      'naive-services.sh': naiveServices(naive),
      'floor.sh': floorLauncher(floor, join(given, 'floor-services.sh')),
      'floor-services.sh': floorServices(floor),
      'addons.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: naive.kubernetes.addons.first }),
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(scratch, name), content);
    await handOver(owner, scratch, given);
    return {
      launchers: [
        ours(owner, apiPort),
        shell(owner, 'naive', join(given, 'naive.sh'), naive),
        shell(owner, 'floor', join(given, 'floor.sh'), floor),
      ],
      cleanUp: () => removeCluster(owner, givenCluster),
    };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

const specOf = (name: string, apiPort: number): Settings =>
  parseSettings({ name, apiPort, nodeName: defaultNodeName(hostname()) });

async function planShell(
  owner: Owner,
  artifacts: Artifacts,
  spec: Settings,
  pki: string,
  images: { pause: BundledImage; coredns: BundledImage },
): Promise<ShellPlan> {
  const paths = { ...owner.paths(spec.name), pki };
  const cgroups = await detectCgroups(process.env);
  const host: HostFacts = {
    cgroups: cgroups.mode,
    snapshotter: 'overlayfs',
    netfilter: { backend: 'iptables' },
    uid: 0,
    node: process.execPath,
    takeBackPorts: join(projectRoot, 'dist/entries/take-back-ports.js'),
    registryCredentials: join(projectRoot, 'dist/entries/registry-credentials.js'),
    dockerLogins: '/nonexistent',
    certificateFolders: [],
    engineOptions: {},
  };
  await writeRegistries(planRegistries(spec, paths, host), {
    known: { registries: { mirrors: {}, configs: {} }, credentials: {}, folders: [] },
    seen: '',
  });
  const addons = await loadAddons(join(projectRoot, 'config/manifests'), {
    COREDNS_IMAGE: images.coredns.reference,
    DNS_ADDRESS: spec.dnsAddress,
    DNS_DOMAIN: spec.dnsDomain,
    HOST_ADDRESS: hostAddressIn(spec.nodeSubnet),
    HOST_NAMES: hostNames.join(' '),
    ROOT_CA: '',
  });
  const { services, kubernetes } = planInstance(spec, paths, artifacts, host, {
    images,
    // Without what u7s makes ahead of kube-controller-manager.
    addons: { first: addons.filter(isNotAhead), later: [] },
  });
  if (kubernetes === undefined) throw new Error('the plan has no Kubernetes');
  return {
    namespaces: planNamespaces(spec, paths, artifacts, host, []),
    services,
    kubernetes,
    certificates: certificateTable(certificateInput(spec)),
    folders: [paths.state, paths.runtime, paths.logs, paths.etc, paths.etcd, pki],
    pki,
    kubectl: binaryOf(artifacts)('kubectl'),
    adminKubeconfig: paths.adminKubeconfig,
    addonsFile: join(owner.paths(givenCluster).state, 'addons.json'),
  };
}

const isNotAhead = ({ metadata: { name } }: KubeObject): boolean =>
  !['default', 'kube-root-ca.crt'].includes(name);

/** Puts the content of a folder into one of the owner's, written by the owner. */
async function handOver(owner: Owner, from: string, to: string): Promise<void> {
  const { stdout } = await execa('tar', ['-c', '-C', from, '.'], { encoding: 'buffer', maxBuffer: 2 ** 30 });
  await asOwner(owner, ['mkdir', '-p', '-m', '0700', to]);
  await asOwner(owner, ['tar', '-x', '-C', to, '--no-same-owner'], Buffer.from(stdout));
}

export function ours(owner: Owner, apiPort: number): Launcher {
  const cluster = 'bench';
  const u7s = [...owner.u7s, '--cluster', cluster];
  const { nodeName } = specOf(cluster, apiPort);
  return {
    name: 'ours',
    observed: { server: `https://127.0.0.1:${apiPort}`, pki: owner.paths(cluster).pki, nodeName },
    start: () => ({
      up: asOwner(owner, [...u7s, 'up', 'default-containerd', '--api-port', String(apiPort), '-d']).then(
        () => undefined,
      ),
      stop: () => asOwner(owner, [...u7s, 'down']).then(() => undefined),
    }),
    clean: () => removeCluster(owner, cluster),
  };
}

function shell(owner: Owner, name: string, script: string, plan: ShellPlan): Launcher {
  return {
    name,
    observed: { server: plan.kubernetes.api.server, pki: plan.pki, nodeName: plan.kubernetes.nodeName },
    start: () => {
      const { command, args, env } = owner.invoke(['/bin/bash', script]);
      const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      return {
        up: new Promise((resolve, reject) => {
          child.stdout.on('data', (chunk: Buffer) => {
            if (/^up$/m.test(chunk.toString())) resolve();
          });
          void ended.then(() => reject(new Error(`the ${name} launcher ended before the cluster was up`)));
        }),
        stop: () => {
          child.stdin.end();
          return ended;
        },
      };
    },
    clean: () => removeCluster(owner, plan.namespaces.cluster),
  };
}

export async function removeCluster(owner: Owner, cluster: string): Promise<void> {
  await asOwner(owner, [...owner.u7s, '--cluster', cluster, 'cleanup']);
}
