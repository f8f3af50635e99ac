import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { errnoOf, U7sError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import type { Auth } from './model.js';

/** By registry, or registry and path: what docker keeps in config.json. */
export type Credentials = Readonly<Record<string, Credential>>;
/** `auth` is `user:password` in base64. */
export type Credential = { auth?: string; identitytoken?: string };

/** What a docker config says of a registry without the password itself. */
export type DockerConfig = {
  credentials: Credentials;
  /** Registries whose passwords are with a program, and that program. */
  helpers: Readonly<Record<string, string>>;
};

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const shape = z.looseObject({
  auths: z.record(z.string(), entry).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});

const dockerHub = 'docker.io';

/** The registry, as names of images have it, that docker means: it knows its own by a URL. */
export function registryOf(key: string): string {
  const plain = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const [host = '', ...path] = plain.split('/');
  const isVersion = path.length > 0 && /^v[12]$/.test(path[0] ?? '');
  if (
    ['index.docker.io', 'registry-1.docker.io', dockerHub].includes(host) &&
    (isVersion || path.length === 0)
  )
    return dockerHub;
  return isVersion ? host : plain;
}

/** Nothing where there is no such file; the passwords that a helper keeps are not asked for. */
export async function readDockerConfig(file: string): Promise<DockerConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return '{}';
    throw wrong(file, errnoOf(error) ?? 'it cannot be read', error);
  });
  let config: z.output<typeof shape>;
  try {
    config = shape.parse(JSON.parse(text));
  } catch (error) {
    // The parser's own words would show a part of the file.
    throw wrong(file, error instanceof z.ZodError ? 'it is no docker config' : 'it is not JSON', undefined);
  }
  const credentials: Record<string, Credential> = {};
  const helpers: Record<string, string> = {};
  for (const [key, { auth, username, password, identitytoken }] of Object.entries(config.auths ?? {})) {
    const both = auth ?? (username === undefined ? undefined : base64(`${username}:${password ?? ''}`));
    const token = identitytoken === undefined || identitytoken === '' ? {} : { identitytoken };
    if (both !== undefined && both !== '') credentials[registryOf(key)] = { auth: both, ...token };
    else if (config.credsStore) helpers[registryOf(key)] = config.credsStore;
  }
  for (const [key, helper] of Object.entries(config.credHelpers ?? {})) helpers[registryOf(key)] = helper;
  for (const registry of Object.keys(helpers)) if (registry in credentials) delete helpers[registry];
  return { credentials, helpers };
}

function wrong(file: string, why: string, cause: unknown): U7sError {
  return new U7sError('registries-invalid', `the credentials in ${file} cannot be used: ${why}`, {
    fixes: [
      u7s(['registry', 'login', 'SERVER'], {
        text: 'correct it, or remove it and log in again',
        about: 'host',
      }),
    ],
    cause,
  });
}

/** Undefined for what names no user. */
export function credentialOf(auth: Auth | undefined): Credential | undefined {
  if (auth === undefined) return undefined;
  const { username, password = '', auth: both, identity_token: token } = auth;
  const basic = both ?? (username === undefined ? undefined : base64(`${username}:${password}`));
  if (basic === undefined && token === undefined) return undefined;
  return {
    ...(basic === undefined ? {} : { auth: basic }),
    ...(token === undefined ? {} : { identitytoken: token }),
  };
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
