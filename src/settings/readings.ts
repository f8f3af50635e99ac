import { resolve } from 'node:path';
import { artifactNames } from '../artifacts/catalog.js';
import { addonNames } from './addon-names.js';
import type { Reading } from './entry.js';

/** Decimal digits only; undefined for what is not a port. */
export function parsePort(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 65_535 ? number : undefined;
}

export const portReading: Reading = { read: parsePort, kind: 'a port', form: 'a number from 1 to 65535' };

/** `NAME=true`, as a map of one. */
export const gateReading: Reading = {
  read: (text) => {
    const [, name = '', value] = /^([^=]+)=(true|false)$/.exec(text) ?? [];
    return value === undefined ? undefined : { [name]: value === 'true' };
  },
  kind: 'a switch',
  form: 'NAME=true or NAME=false',
};

export const secondsReading: Reading = {
  read: (text) => (/^\d{1,6}$/.test(text) ? Number(text) : undefined),
  kind: 'a number of seconds',
  form: 'a whole number',
};

export const addonReading: Reading = {
  read: (text) => (text === 'none' ? [] : addonNames.find((name) => name === text)),
  kind: 'an add-on',
  form: `${addonNames.join(', ')} or none`,
};

/** `NAME=PATH`, as a map of one. */
export const artifactReading: Reading = {
  read: (text) => {
    const [, name = '', path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (path === undefined || !artifactNames.some((each) => each === name)) return undefined;
    return { [name]: resolve(path) };
  },
  kind: 'the path of an artifact',
  form: `NAME=PATH, where NAME is one of ${artifactNames.join(', ')}`,
};
