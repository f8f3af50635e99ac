import { join } from 'node:path';
import * as z from 'zod';
import { ensureDir, writeFileAtomic } from '../lib/atomic-file.js';
import { UsageError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { withLock } from '../lib/lock-file.js';
import { basicOf } from '../images/registries/credential-provider.js';
import { base64, readDockerConfig, registryOf, type Credential } from '../images/registries/credentials.js';
import { knownHosts, tlsOf } from '../images/registries/hosts-toml.js';
import { isRegistryHost, registriesSchema } from '../images/registries/model.js';
import { readSources } from '../images/registries/sources.js';
import { readRemembered } from '../settings/remembered.js';
import type { InstanceContext } from './context.js';
import { certificateFolders } from './start/registries.js';

type Context = Pick<InstanceContext, 'paths' | 'signal' | 'report'>;

/** Keeps a password for all instances of the user, which use it within seconds. */
export async function logIn(
  context: Context,
  server: string,
  { username, password }: { username: string; password: string },
): Promise<string> {
  const registry = checkedServer(server);
  if (username === '' || username.includes(':') || password === '') {
    throw new UsageError(
      'login-invalid',
      'a login needs a user without a colon, and a password',
      u7s(['registry', 'login', server, '--username', 'USER'], {
        text: 'the password is read from standard input',
        about: 'host',
      }),
    );
  }
  await change(context, (logins) => ({ ...logins, [registry]: { auth: base64(`${username}:${password}`) } }));
  return registry;
}

/** Whether there was something to forget. */
export async function logOut(context: Context, server: string): Promise<{ registry: string; was: boolean }> {
  const registry = checkedServer(server);
  let was = false;
  await change(context, ({ [registry]: forgotten, ...others }) => {
    was = forgotten !== undefined;
    return others;
  });
  return { registry, was };
}

/** `docker.io`, `registry.example:5000` or `registry.example/team`, also written as a URL. */
function checkedServer(server: string): string {
  const registry = registryOf(server);
  const [host = '', ...path] = registry.split('/');
  if (isRegistryHost(host) && path.every((word) => /^[a-z0-9][a-z0-9._-]*$/.test(word))) return registry;
  throw new UsageError(
    'registry-name',
    `${JSON.stringify(server)} is not a registry`,
    'name it as images do, for example docker.io or registry.example:5000',
  );
}

async function change(
  { paths: { registryLogins: file, runtimeConfig }, signal }: Context,
  how: (logins: Readonly<Record<string, Credential>>) => Record<string, Credential>,
): Promise<void> {
  await ensureDir(runtimeConfig);
  const aMoment = (): void => undefined;
  await withLock(`${file}.lock`, signal, aMoment, async () => {
    const { credentials } = await readDockerConfig(file);
    await writeFileAtomic(file, `${JSON.stringify({ auths: how(credentials) }, null, 2)}\n`);
  });
}

/** What is known of a registry, without passwords. */
export type KnownRegistry = {
  registry: string;
  user?: string;
  mirrors: string[];
  ca: string[];
  insecure: boolean;
};

export async function listRegistries({
  paths,
  dockerConfig,
  report,
}: Pick<InstanceContext, 'paths' | 'dockerConfig' | 'report'>): Promise<KnownRegistry[]> {
  const remembered = await readRemembered(paths.remembered);
  const { known, warnings } = await readSources({
    described: registriesSchema(z, 'refused').parse(remembered?.registries ?? {}),
    files: paths.registryFiles,
    logins: [join(dockerConfig, 'config.json'), paths.registryLogins],
    certificates: await certificateFolders(paths),
  });
  for (const warning of warnings) report(warning);
  const names = new Set([...knownHosts(known), ...Object.keys(known.credentials)]);
  return [...names].sort().map((name) => {
    const registry = name === '_default' ? '*' : name;
    const { ca, skipVerify } = tlsOf(known, name);
    const user = basicOf(known.credentials[name]?.auth)?.username;
    return {
      registry,
      ...(user === undefined ? {} : { user }),
      mirrors: known.registries.mirrors[registry]?.endpoint ?? [],
      ca,
      insecure: skipVerify,
    };
  });
}
