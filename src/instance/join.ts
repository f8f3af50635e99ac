import type { Readable } from 'node:stream';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import {
  approach,
  forgetNode,
  obtainMembership,
  parseInvitation,
  requireRoom,
  type ControlPlane,
  type Invitation,
} from '../membership/join.js';
import type { JoinWords } from '../membership/join-line.js';
import { readRemembered } from '../settings/remembered.js';
import type { Flags } from '../settings/flags.js';
import { resolveSettings } from '../settings/resolve.js';
import type { RuntimeName } from '../settings/runtime-names.js';
import type { Settings } from '../settings/schema.js';
import type { InstanceContext } from './context.js';
import { readJoinFile } from './join-file.js';
import { membershipOf } from './membership.js';
import { resetTargets, stopAndRemove } from './removal.js';
import { checkHost, hostNetworksToAvoid } from './start/host.js';
import { freePortFinder } from './start/node-ports.js';
import { ensurePrograms } from './start/programs.js';
import { start, type StartResult } from './start/start.js';
import { defaultTimeoutMs, up } from './up.js';

export type JoinRequest = {
  /** The words of a line of `join-command`, or the file that holds it; `-` is `stdin`. */
  by: JoinWords | { file: string; stdin: Readable };
  runtime: RuntimeName;
  /** Those of the command line; what is no setting is not looked at. */
  flags?: Flags;
  /** Milliseconds until a node that is not Ready counts as failed. */
  timeoutMs?: number | undefined;
};

/** `rejoined`: by a file, on a node that was a member already and was only started. */
export type JoinResult = StartResult & {
  joined?: { nodeName: string; controlPlane: string };
};

/** Makes this host a node of another's cluster. If that fails, nothing of it stays here or there. */
export async function join(context: InstanceContext, request: JoinRequest): Promise<JoinResult> {
  const { by, flags = {}, timeoutMs = defaultTimeoutMs } = request;
  if ('file' in by && (await membershipOf(context.paths)) !== undefined)
    return up(context, { flags, timeoutMs });

  const { paths, report, signal } = context;
  const invitation = await invitationOf(context, by);
  await requireNothingHere(context);
  const controlPlane = await approach(invitation, report, signal);
  try {
    const settings = await settingsOf(context, controlPlane, request);
    const { nodeName, hostIp = '' } = settings;
    await requireRoom(controlPlane, { nodeName, hostIp }, signal);
    const trial = await checkHost(context, settings);
    // Takes longer than a refusal may come late.
    await ensurePrograms(context, settings);
    const result = await orNothing(context, settings, async () => {
      await obtainMembership(settings, paths, controlPlane, report, signal);
      return start(context, {
        settings,
        checkHost: () => Promise.resolve(trial),
        timeoutMs,
        retain: false,
      });
    });
    return { ...result, joined: { nodeName, controlPlane: controlPlane.server } };
  } finally {
    controlPlane.client.close();
  }
}

async function invitationOf({ report, signal }: InstanceContext, by: JoinRequest['by']): Promise<Invitation> {
  const words = 'file' in by ? await readJoinFile(by.file, by.stdin, report, signal) : by;
  return parseInvitation(words.endpoint, words.token, words.caHash);
}

async function requireNothingHere(context: InstanceContext): Promise<void> {
  const before = await readRemembered(context.paths.remembered);
  if (before === undefined) {
    // Data without an owner is what a leave that was cut short has left.
    await stopAndRemove(context, resetTargets);
    return;
  }
  const { controlPlane, nodeName } = before;
  if (controlPlane !== undefined) {
    throw new U7sError('already-joined', `this is already node ${nodeName} of ${controlPlane}`, {
      fixes: [
        u7s(['up'], { text: 'start it' }),
        u7s(['leave'], { text: 'or take it out of that cluster first' }),
      ],
    });
  }
  throw new U7sError('has-control-plane', `cluster ${context.name} has a control plane of its own here`, {
    fixes: [
      u7s(['--cluster', 'NAME', 'join'], { text: 'join under another name, in addition to it' }),
      u7s(['reset'], { text: 'or give up its data' }),
    ],
  });
}

async function settingsOf(
  context: InstanceContext,
  { server, facts, localAddress }: ControlPlane,
  { flags = {}, runtime }: JoinRequest,
): Promise<Settings> {
  return resolveSettings({
    instance: context.name,
    preset: `default-${runtime}`,
    projectRoot: context.projectRoot,
    env: context.env,
    flags,
    suggested: { hostIp: localAddress },
    given: { ...facts, controlPlane: server },
    freePort: freePortFinder(context.report),
    avoid: await hostNetworksToAvoid(context),
  });
}

/** Undoes what `work` has begun when it fails: the control plane forgets the node, and its data is removed. */
async function orNothing<T>(
  context: InstanceContext,
  settings: Settings,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Not by the context's signal, which may be why.
    await forgetNode(settings, context.paths, AbortSignal.timeout(10_000));
    const undo = { ...context, signal: AbortSignal.timeout(60_000) };
    await stopAndRemove(undo, resetTargets).catch(() => undefined);
    throw error;
  }
}
