import type { Event, Note, StepEvent, Warning } from '../lib/events.js';
import { isFix, type Fix } from '../lib/fixes.js';
import {
  isBoolean,
  isNumber,
  isObject,
  isString,
  listOf,
  messageOfType,
  objectOf,
  oneOf,
  optional,
  type Shape,
} from '../lib/shape.js';
import type { NamespacePlan, InstancePlan } from '../plan/types.js';

/** From the command that starts the instance, the front, to the launcher; by IPC. */
export type FrontMessage =
  /** `retain`: an instance that fails to start is left as it is. */
  | { type: 'open'; plan: NamespacePlan; retain: boolean }
  | { type: 'run'; plan: InstancePlan }
  /** From now on the launcher outlives the command. */
  | { type: 'detach' }
  | { type: 'stop' };

/** From the launcher to the front. */
export type LauncherMessage =
  | { type: 'event'; event: Event }
  | { type: 'ready' }
  | { type: 'failed'; message: string; code: string; fixes: readonly Fix[] };

/** Plans are not looked into: the two processes are of the same installation, and one has started the other. */
const isPlan = <Plan extends object>(value: unknown): value is Plan => isObject(value);

export const isFrontMessage: Shape<FrontMessage> = messageOfType<FrontMessage>({
  open: { plan: isPlan<NamespacePlan>, retain: isBoolean },
  run: { plan: isPlan<InstancePlan> },
  detach: {},
  stop: {},
});

const isStep = objectOf<StepEvent>({
  kind: oneOf('step'),
  id: isString,
  title: isString,
  state: oneOf('started', 'progress', 'done', 'failed'),
  detail: optional(isString),
  fraction: optional(isNumber),
});
const isNote = objectOf<Note>({
  kind: oneOf('note'),
  text: isString,
  fixes: optional(listOf(isFix)),
});
const isWarning = objectOf<Warning>({
  kind: oneOf('warning'),
  text: isString,
  code: optional(isString),
  fixes: optional(listOf(isFix)),
});
const isEvent = (value: unknown): value is Event => isStep(value) || isNote(value) || isWarning(value);

export const isLauncherMessage: Shape<LauncherMessage> = messageOfType<LauncherMessage>({
  event: { event: isEvent },
  ready: {},
  failed: { message: isString, code: isString, fixes: listOf(isFix) },
});
