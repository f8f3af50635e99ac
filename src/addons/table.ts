import { UsageError } from '../lib/errors.js';
import { nearest } from '../lib/nearest.js';
import { addonNames, type AddonName } from '../settings/addon-names.js';
import type { Addon } from './addon.js';
import { ingress } from './ingress/ingress.js';

export const addons: Readonly<Record<AddonName, Addon>> = { ingress };

/** The add-on that a person names. */
export function addonNamed(name: string): Addon {
  const found = addonNames.find((each) => each === name);
  if (found !== undefined) return addons[found];
  const near = nearest(name, addonNames);
  throw new UsageError(
    'no-such-addon',
    `there is no add-on ${name}`,
    near === undefined ? `take one of ${addonNames.join(', ')}` : `did you mean ${near}?`,
  );
}
