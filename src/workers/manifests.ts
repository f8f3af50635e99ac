import { manifestsAppearance, readManifests, type FileFault } from '../addons/manifests/files.js';
import { manifestSet, type ManifestNote, type Release } from '../addons/manifests/record.js';
import { settleCharts } from '../addons/manifests/releases.js';
import { untilChanged } from '../addons/manifests/watch.js';
import type { KubeClient } from '../kube/client.js';
import { withClient, type ApiAccess } from '../kube/connect.js';
import { createEventRecorder } from '../kube/events.js';
import type { KubeObject } from '../kube/object.js';
import {
  applySet,
  forgetSet,
  readSet,
  removeMembers,
  withoutMembers,
  writeSet,
  type Member,
} from '../kube/object-set.js';
import { createResources, refOf } from '../kube/resources.js';
import { messageOf } from '../lib/errors.js';
import { warningOf } from '../lib/events.js';
import type { ManifestsPlan } from '../plan/types.js';
import type { Worker, WorkerContext } from './worker.js';

/** Owner of the fields that the files give. */
const fieldManager = 'usernetes-manifests';
/** What was refused is tried again: first soon, since it may only have lacked what came with it. */
const retryMs = { first: 500, longest: 60_000 };
const hourMs = 3_600_000;

/** Has the cluster have what the files of the user's folder say, at the start and whenever one of them changes. */
export function manifests(plan: ManifestsPlan, api: ApiAccess): Worker {
  return {
    name: 'manifests',
    stage: 'up',
    run: (context, signal) => withClient(api, (client) => follow(client, plan, context, signal)),
  };
}

async function follow(
  client: KubeClient,
  plan: ManifestsPlan,
  { report }: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  const recorder = createEventRecorder(client, { component: fieldManager, host: plan.nodeName });
  let told = new Set<string>();
  let waitMs: number = retryMs.first;
  for (;;) {
    signal.throwIfAborted();
    const before = await manifestsAppearance(plan.folders);
    const { faults, record } = await settle(client, plan, signal);
    // What passes within the first tries, such as a kind that is served a moment after its definition, is nobody's concern.
    const worthTelling = waitMs > retryMs.first * 4 ? faults : faults.filter(({ error }) => !mayPass(error));
    for (const fault of worthTelling)
      if (!told.has(textOf(fault))) report(warningOf(fault.error, textOf(fault)));
    if (record !== undefined)
      await recorder.record(
        worthTelling.map((each) => eventOf(record, textOf(each))),
        signal,
      );
    told = new Set([...(faults.length === 0 ? [] : told), ...worthTelling.map(textOf)]);
    await untilChanged(plan.folders, before, faults.length === 0 ? hourMs : waitMs, signal);
    const isChanged = (await manifestsAppearance(plan.folders)) !== before;
    waitMs = isChanged || faults.length === 0 ? retryMs.first : Math.min(waitMs * 2, retryMs.longest);
  }
}

const mayPass = (error: unknown): boolean =>
  /kind-unknown|api-not-found/.test(String((error as { code?: unknown }).code));

function textOf({ file, line, error }: FileFault): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${causeOf(error)}`;
}

/** What the API server says, without the request that it says it of. */
const causeOf = (error: unknown): string => messageOf(error).replace(/^PATCH \S+: /, '');

/** One pass. Objects of a file that cannot be read stay as they are. */
async function settle(
  client: KubeClient,
  plan: ManifestsPlan,
  signal: AbortSignal,
): Promise<{ faults: FileFault[]; record?: KubeObject | undefined }> {
  const recorded = await readSet(client, manifestSet, signal);
  const { manifests, charts, faults } = await readManifests(plan.folders);
  if (recorded === undefined && manifests.length + charts.length + faults.length === 0) return { faults };
  const before = recorded?.members ?? [];
  const note = JSON.parse(recorded?.note ?? '{}') as Partial<ManifestNote>;
  const unreadable = new Set(faults.map(({ file }) => file));
  const wanted = manifests.map(({ object, file }): Member => ({ ...refOf(object), from: file }));
  const kept = before.filter(({ from = '' }) => unreadable.has(from));
  const members = [...wanted, ...withoutMembers(kept, wanted)];
  const gone = withoutMembers(before, members);
  if (JSON.stringify([...gone, ...members]) !== JSON.stringify(before))
    await writeSet(
      client,
      manifestSet,
      { members: [...gone, ...members], note: JSON.stringify(note) },
      signal,
    );

  const resources = createResources(client);
  const placeOf = new Map(manifests.map(({ object, file, line }) => [object, { file, line }]));
  const refused = await applySet(client, resources, [...placeOf.keys()], { fieldManager, signal });
  const all: FileFault[] = [
    ...faults,
    ...refused.map(({ object, error }) => ({ ...(placeOf.get(object) ?? { file: '' }), error })),
  ];
  await removeMembers(client, resources, gone, signal);
  const releases = await settleCharts(plan, { charts, before: note.releases ?? [], unreadable }, signal);
  all.push(...releases.faults);
  const record = await recordState(client, { members, releases: releases.present, faults: all }, signal);
  return { faults: all, record };
}

async function recordState(
  client: KubeClient,
  { members, releases, faults }: { members: Member[]; releases: Release[]; faults: FileFault[] },
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  if (members.length + releases.length + faults.length === 0) {
    await forgetSet(client, manifestSet, signal);
    return undefined;
  }
  const note: ManifestNote = {
    faults: faults.map(({ file, line, error }) => ({
      file,
      ...(line === undefined ? {} : { line }),
      message: causeOf(error),
    })),
    releases,
  };
  return writeSet(client, manifestSet, { members, note: JSON.stringify(note) }, signal);
}

function eventOf({ metadata: { name, namespace = '', uid } }: KubeObject, message: string) {
  const regarding = { kind: 'ConfigMap', namespace, name, uid: String(uid) };
  return { regarding, type: 'Warning', reason: 'ManifestRefused', message: message.slice(0, 1_000) } as const;
}
