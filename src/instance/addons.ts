import { createReadStream } from 'node:fs';
import type { Addon } from '../addons/addon.js';
import { addonOfSet, applyAddon, keptText, removeAddon, waitForAddon } from '../addons/apply.js';
import { prepareAddon } from '../addons/plan.js';
import { addonNamed, addons } from '../addons/table.js';
import { importImages, listImages } from '../images/node-images.js';
import { setNames } from '../kube/object-set.js';
import { instanceStatus } from '../launcher/client.js';
import { U7sError } from '../lib/errors.js';
import { step } from '../lib/events.js';
import { u7s } from '../lib/fixes.js';
import { addonNames, type AddonName } from '../settings/addon-names.js';
import { amend, readRemembered, type Remembered } from '../settings/remembered.js';
import { asAdmin } from './admin-client.js';
import { instanceArtifacts } from './artifacts.js';
import type { InstanceContext } from './context.js';
import { notControlPlane } from './not-control-plane.js';
import { podUsage } from './pod-usage.js';
import { runningNode } from './running-node.js';

/** `off`; `waiting`: enabled, and not ready yet or not started; `ready`. */
export type AddonState = 'off' | 'waiting' | 'ready';

export type AddonReport = {
  name: AddonName;
  state: AddonState;
  help: string;
  costs: string;
  /** Bytes that its pods use now, where that is known. */
  memory?: number;
};

/** Every add-on, and how it stands with this cluster. */
export async function listAddons(context: InstanceContext): Promise<AddonReport[]> {
  const { paths, signal } = context;
  const wanted = (await readRemembered(paths.remembered))?.addons ?? [];
  const status = await instanceStatus(paths.controlSocket, signal);
  const isUp = status?.role === 'control-plane';
  const usage = status === undefined ? undefined : await podUsage(context, status);
  const ready = isUp ? await readyAddons(context) : [];
  return addonNames.map((name) => {
    const { help, costs, namespace } = addons[name];
    const own = usage?.filter((pod) => pod.namespace === namespace) ?? [];
    const memory = own.reduce((total, pod) => total + pod.memory, 0);
    const state = ready.includes(name) ? 'ready' : wanted.includes(name) ? 'waiting' : 'off';
    return { name, state, help, costs, ...(own.length === 0 ? {} : { memory }) };
  });
}

type Deployment = { spec: { replicas: number }; status?: { readyReplicas?: number } };

function readyAddons(context: InstanceContext): Promise<AddonName[]> {
  const { signal } = context;
  return asAdmin(context, async (client) => {
    const present = (await setNames(client, signal)).flatMap((set) => addonOfSet(set) ?? []);
    const looks = addonNames.map(async (name) => {
      if (!present.includes(name)) return [];
      const { namespace, deployment } = addons[name];
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`;
      const { spec, status } = await client.get<Deployment>(path, { signal });
      return (status?.readyReplicas ?? 0) >= spec.replicas ? [name] : [];
    });
    const found = await Promise.all(looks.map((look) => look.catch((): AddonName[] => [])));
    return found.flat();
  });
}

/** Gets what the add-on is made of and, where the cluster runs, waits until it works. Later starts have it, too. */
export async function enableAddon(
  context: InstanceContext,
  word: string,
): Promise<{ name: AddonName; running: boolean }> {
  const addon = addonNamed(word);
  const { name } = addon;
  const { paths, signal, report } = context;
  const remembered = await requireControlPlane(context);
  const running = (await instanceStatus(paths.controlSocket, signal)) !== undefined;
  const artifacts = await instanceArtifacts(context, remembered, addon.artifacts);
  if (running) {
    const since = new Date(0);
    const nodeName = remembered.nodeName ?? '';
    const { plan, image } = await step(report, 'image', `image of ${name}`, async () => {
      const made = await prepareAddon(context, addon, artifacts, nodeName);
      await loadMissing(context, made.image);
      return made;
    });
    await asAdmin(context, async (client) => {
      await step(report, 'objects', `objects of ${name}`, () => applyAddon(client, plan, signal));
      await rememberWith(context, name, true);
      await step(report, `addon/${name}`, `add-on ${name}`, async (progress) => {
        progress(image.reference);
        await waitForAddon(client, plan, since, signal);
      });
    });
  } else {
    await rememberWith(context, name, true);
  }
  return { name, running };
}

/** Removes all that the add-on has made; its program and image stay in the user's caches. */
export async function disableAddon(
  context: InstanceContext,
  word: string,
): Promise<{ name: AddonName; running: boolean }> {
  const { name }: Addon = addonNamed(word);
  const { paths, signal, report } = context;
  await requireControlPlane(context);
  const running = (await instanceStatus(paths.controlSocket, signal)) !== undefined;
  await rememberWith(context, name, false);
  if (running) {
    await asAdmin(context, async (client) => {
      const kept = await step(report, `addon/${name}`, `removal of ${name}`, () =>
        removeAddon(client, name, signal),
      );
      if (kept.length > 0) report({ kind: 'note', text: keptText(name, kept) });
    });
  }
  return { name, running };
}

async function requireControlPlane({ name, paths }: InstanceContext): Promise<Remembered> {
  const remembered = await readRemembered(paths.remembered);
  if (remembered === undefined) {
    throw new U7sError('not-running', `cluster ${name} has never been started`, {
      fixes: [u7s(['up', '--addon', 'NAME'], { text: 'start it with the add-on' })],
    });
  }
  if (!remembered.kubernetes) throw new U7sError('no-kubernetes', `cluster ${name} has no Kubernetes`);
  if (remembered.controlPlane !== undefined) throw notControlPlane(remembered.controlPlane);
  return remembered;
}

function rememberWith({ paths }: InstanceContext, name: AddonName, wanted: boolean): Promise<void> {
  return amend(paths.remembered, ({ addons = [] }) => {
    const others = addons.filter((each) => each !== name);
    return { addons: wanted ? [...others, name] : others };
  });
}

async function loadMissing(
  context: InstanceContext,
  { reference, digest, archive }: { reference: string; digest: string; archive: string },
): Promise<void> {
  const { signal } = context;
  const node = await runningNode(context);
  const present = await listImages(node, signal);
  if (present.some((image) => image.reference === reference && image.digest === digest)) return;
  await importImages(node, createReadStream(archive), reference, signal);
}
