import { createPrivateKey, X509Certificate } from 'node:crypto';
import { messageOf, U7sError } from '../lib/errors.js';
import type { KubeconfigInput } from './kubeconfig.js';

/** Far more than a kubeconfig of one cluster has. */
const longest = 262_144;

type Parts = Record<string, unknown>;

/**
 * The parts of a kubeconfig's current context that are data: an address, an authority, a certificate and its key. A kubeconfig
 * can do more, such as run a program as a plugin or name files to be read; nothing of that is returned. Throws a `U7sError`
 * when a part is missing or is not what it has to be; `place` names in it where the text is from.
 */
export async function readKubeconfigParts(text: string, place: string): Promise<KubeconfigInput> {
  try {
    if (text.length > longest) throw new Error(`it is longer than ${longest} bytes`);
    const { parse } = await import('yaml');
    const config = map(parse(text, { maxAliasCount: 0, schema: 'core' }), 'it');
    const context = map(entry(config, 'contexts', config['current-context'])['context'], 'the context');
    const cluster = map(entry(config, 'clusters', context['cluster'])['cluster'], 'the cluster');
    const user = map(entry(config, 'users', context['user'])['user'], 'the user');
    const certPem = pem(user, 'client-certificate-data');
    const keyPem = pem(user, 'client-key-data');
    const caPem = pem(cluster, 'certificate-authority-data');
    new X509Certificate(caPem);
    if (!new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem)))
      throw new Error('its certificate is for another key');
    return { name: nameIn(config), server: serverIn(cluster), caPem, certPem, keyPem };
  } catch (error) {
    throw new U7sError(
      'kubeconfig-invalid',
      `${place} is not the kubeconfig of a cluster of ours: ${messageOf(error)}`,
      {
        fixes: ['see what changed it, and start the cluster again, which writes it anew'],
        cause: error,
      },
    );
  }
}

function map(value: unknown, what: string): Parts {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not a map`);
  return value as Parts;
}

function entry(config: Parts, list: string, name: unknown): Parts {
  const entries = config[list];
  const found: unknown = Array.isArray(entries)
    ? entries.find((each: unknown) => map(each, list)['name'] === name)
    : undefined;
  return map(found, `the entry ${JSON.stringify(name)} of ${list}`);
}

function pem(parts: Parts, field: string): string {
  const value = parts[field];
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(value))
    throw new Error(`it has no ${field}`);
  return Buffer.from(value, 'base64').toString('utf8');
}

function nameIn(config: Parts): string {
  const name = config['current-context'];
  if (typeof name === 'string' && /^usernetes(-[a-z0-9-]{1,40})?$/.test(name)) return name;
  throw new Error('its context is none of ours');
}

function serverIn(cluster: Parts): string {
  const server = cluster['server'];
  const { protocol, host, origin } = new URL(typeof server === 'string' ? server : '');
  if (protocol !== 'https:' || host === '' || origin !== server)
    throw new Error('its server is no https://HOST:PORT');
  return origin;
}
