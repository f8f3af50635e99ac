import { readFile, stat } from 'node:fs/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import { errnoOf, messageOf, U7sError } from '../../lib/errors.js';
import type { Warning } from '../../lib/events.js';
import { u7s } from '../../lib/fixes.js';
import { isReadable, scanCertificates } from './certificates.js';
import { credentialOf, readDockerConfig, type Credential } from './credentials.js';
import type { Known } from './hosts-toml.js';
import { mergeRegistries, registriesSchema, type Registries, type RegistriesLayer } from './model.js';

/** Where what is known of registries comes from. */
export type RegistrySources = {
  /** Of the description. */
  described: RegistriesLayer;
  /** registries.yaml of the user, then of the instance. */
  files: readonly string[];
  /** config.json of docker, then what our own login has written. */
  logins: readonly string[];
  /** Folders certs.d; the first that has a registry counts. */
  certificates: readonly string[];
};

/** Everything from all sources, and what should be said about it. */
export async function readSources(sources: RegistrySources): Promise<{ known: Known; warnings: Warning[] }> {
  const layers = await Promise.all(sources.files.map(readRegistriesFile));
  const registries = mergeRegistries([...layers, sources.described]);
  const configs = await Promise.all(sources.logins.map(readDockerConfig));
  const { folders, unreadable } = await scanCertificates(sources.certificates);
  await requireFiles(registries);
  const inFiles = Object.entries(registries.configs).flatMap(([host, { auth }]): [string, Credential][] => {
    const credential = credentialOf(auth);
    return credential === undefined ? [] : [[host, credential]];
  });
  const credentials = Object.assign(
    {},
    ...configs.map((config) => config.credentials),
    Object.fromEntries(inFiles),
  ) as Known['credentials'];
  const helpers = Object.entries(
    Object.assign({}, ...configs.map((config) => config.helpers)) as Record<string, string>,
  ).filter(([host]) => !(host in credentials));
  return {
    known: { registries, credentials, folders },
    warnings: [...helpers.map(helperWarning), ...unreadable.map(unreadableWarning)],
  };
}

function helperWarning([host, helper]: [string, string]): Warning {
  return {
    kind: 'warning',
    code: 'credential-helper',
    text: `pods cannot use the password for ${host}: docker keeps it with docker-credential-${helper}, which does not run in the node`,
    fixes: [u7s(['registry', 'login', host], { text: 'log in once more, for pods', about: 'host' })],
  };
}

function unreadableWarning(path: string): Warning {
  return {
    kind: 'warning',
    code: 'not-readable',
    text: `certificates of registries in ${path} are not used: it is not readable`,
    fixes: [`make it readable: chmod o+rX ${path}`],
  };
}

/** Empty where there is no such file. */
export async function readRegistriesFile(file: string): Promise<RegistriesLayer> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return '';
    throw invalid(file, `it cannot be read (${errnoOf(error) ?? messageOf(error)})`);
  });
  let read: unknown;
  try {
    read = parse(text, { prettyErrors: false }) ?? {};
  } catch (error) {
    throw invalid(file, `it is not YAML: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
  const parsed = registriesSchema(z, 'allowed').safeParse(read);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw invalid(file, faults.map((fault) => fault.replace(/^: /, '')).join('; '));
  }
  const hasSecret = Object.values(parsed.data.configs ?? {}).some(({ auth }) => auth !== undefined);
  if (hasSecret && ((await stat(file)).mode & 0o044) !== 0) {
    throw new U7sError('secret-readable', `${file} contains a password, and others can read it`, {
      fixes: [`chmod 600 ${file}`],
    });
  }
  return parsed.data;
}

/** Certificates that the user names must be there, or every pull would fail later. */
async function requireFiles({ configs }: Registries): Promise<void> {
  for (const [host, { tls }] of Object.entries(configs)) {
    for (const name of ['ca_file', 'cert_file', 'key_file'] as const) {
      const file = tls?.[name];
      if (file === undefined || (await isReadable(file))) continue;
      throw new U7sError('registries-invalid', `${name} of the registry ${host} cannot be read: ${file}`, {
        fixes: ['name a file that this user can read'],
      });
    }
  }
}

function invalid(file: string, why: string): U7sError {
  return new U7sError('registries-invalid', `${file} cannot be used: ${why}`, {
    fixes: ['correct it: it has the format of k3s, as docs/registries.md shows'],
  });
}
