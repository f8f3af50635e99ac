import { isDeepStrictEqual } from 'node:util';
import { U7sError, UsageError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { Remembered } from './remembered.js';
import type { Setting } from './entry.js';
import { hasSeveralNodes, roleOf } from './role.js';
import type { Settings } from './schema.js';
import { settingEntries, type SettingName } from './table.js';

/** Refuses to change a setting that the data of the instance depends on: the data would become useless. */
export function refuseChange(settings: Settings, before: Remembered | undefined): void {
  if (before === undefined) return;
  const role = roleOf(before);
  const changed = (kind: string): SettingName | undefined =>
    settingEntries.find(
      ([name, { memory, boundIf }]) =>
        memory?.[role] === kind &&
        (role === 'worker' || isBound(boundIf, before)) &&
        before[name] !== undefined &&
        !isDeepStrictEqual(settings[name], before[name]),
    )?.[0];
  if (changed('compared') !== undefined) throw otherKind(settings, before);
  const name = changed('fixed');
  if (name === undefined) return;
  const [was, wanted] = [before[name], settings[name]].map((value) => JSON.stringify(value));
  if (role === 'worker') {
    throw new UsageError(
      'setting-fixed',
      `this node has joined ${before.controlPlane} with ${name} ${was}, which cannot become ${wanted}`,
      u7s(['leave'], { text: 'leave the cluster and join it anew' }),
    );
  }
  throw new UsageError(
    'setting-fixed',
    `the data of instance ${settings.name} was made with ${name} ${was}, which cannot become ${wanted}`,
    `remove ${name} from the flags, the environment or the description: it then stays ${was}`,
    u7s(['reset'], { text: 'or remove the data' }),
  );
}

/** Whether data depended on a setting, given what the instance was. */
function isBound(boundIf: Setting['boundIf'], before: Remembered): boolean {
  if (boundIf === undefined) return true;
  return boundIf === 'kubernetes' ? before.kubernetes : hasSeveralNodes(before);
}

/** One runtime cannot use the images and containers of another. */
function otherKind(settings: Settings, before: Remembered): U7sError {
  const [was, wanted] =
    before.preset === settings.preset ? [before.runtime, settings.runtime] : [before.preset, settings.preset];
  return new U7sError(
    'setting-fixed',
    `instance ${settings.name} was made as ${was}; with its data it cannot become ${wanted}`,
    {
      fixes: [
        u7s(['--cluster', 'NAME', 'up', settings.preset], {
          text: 'start another instance in addition to this one',
        }),
        u7s(['reset'], { text: 'or remove its data' }),
      ],
    },
  );
}
