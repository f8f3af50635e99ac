import { mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureDir, writeFileAtomic } from '../../lib/atomic-file.js';
import { credentialProviderConfig, type CredentialProgram } from './credential-provider.js';
import { hostsToml, knownHosts, tlsOf, type Known } from './hosts-toml.js';
import { registriesConf } from './registries-conf.js';

/** What runtimes and the kubelet read, below one folder of the instance's state. */
export type RegistryFiles = {
  /** By which dockerd finds `docker/certs.d`. */
  configHome: string;
  /** One folder, since containerd takes no list of them when it pulls by its transfer service. */
  certificates: string;
  /** In the format of docker's config.json, which CRI-O and skopeo read, too. */
  credentials: string;
  registriesConf: string;
  credentialProvider: string;
};

export function registryFiles(folder: string): RegistryFiles {
  return {
    configHome: folder,
    certificates: join(folder, 'docker/certs.d'),
    credentials: join(folder, 'config.json'),
    registriesConf: join(folder, 'registries.conf'),
    credentialProvider: join(folder, 'credential-provider.json'),
  };
}

/**
 * Writes all of it. A reader sees each file whole, as it was or as it is now.
 *
 * @returns whether the kubelet must be started again, since it is to ask for further registries
 */
export async function renderRegistries(
  known: Known,
  folder: string,
  program: CredentialProgram,
): Promise<boolean> {
  const files = registryFiles(folder);
  await ensureDir(folder);
  await ensureDir(dirname(files.certificates));
  await ensureDir(files.certificates);
  const hosts = knownHosts(known);
  for (const host of hosts) await renderHost(known, host, join(files.certificates, host));
  for (const name of await readdir(files.certificates))
    if (!hosts.includes(name)) await rm(join(files.certificates, name), { recursive: true, force: true });
  await put(files.registriesConf, registriesConf(known));
  await put(files.credentials, `${JSON.stringify({ auths: known.credentials }, null, 2)}\n`);
  const provider = credentialProviderConfig(program, files.credentials, known.credentials);
  return put(files.credentialProvider, `${JSON.stringify(provider, null, 2)}\n`);
}

/** What a user says in containerd's own words is left to it. */
async function renderHost(known: Known, host: string, folder: string): Promise<void> {
  const own = known.folders.find((each) => each.host === host);
  if (own?.hasHostsToml === true) return putLink(folder, own.path);
  const isLink = (await readlink(folder).catch(() => undefined)) !== undefined;
  if (isLink) await rm(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // CRI-O and skopeo know no hosts.toml, only certificates.
  const { ca, clients } = tlsOf(known, host);
  const links = new Map([
    ...ca.map((file, index): [string, string] => [`ca-${index}.crt`, file]),
    ...clients.flatMap(({ cert, key }, index): [string, string][] => [
      [`client-${index}.cert`, cert],
      [`client-${index}.key`, key],
    ]),
  ]);
  for (const [name, target] of links) await putLink(join(folder, name), target);
  for (const name of await readdir(folder))
    if (name !== 'hosts.toml' && !links.has(name)) await rm(join(folder, name), { force: true });
  await put(join(folder, 'hosts.toml'), hostsToml(known, host));
}

async function putLink(path: string, target: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return;
  const temporary = `${path}.new`;
  await rm(temporary, { recursive: true, force: true });
  await symlink(target, temporary);
  await rm(path, { recursive: true, force: true });
  await rename(temporary, path);
}

/** Whether it was another before. */
async function put(path: string, content: string): Promise<boolean> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === content) return false;
  await writeFileAtomic(path, content, { durable: false });
  return true;
}
