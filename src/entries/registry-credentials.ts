/** The kubelet runs it at each pull: the credentials of an image's registry, from the file that the argument names. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { basicOf, registryFor } from '../images/registries/credential-provider.js';
import type { Credentials } from '../images/registries/credentials.js';

const { image, apiVersion } = JSON.parse(await text(process.stdin)) as { image: string; apiVersion: string };
const { auths } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as { auths: Credentials };
const registry = registryFor(image, auths);
const basic = registry === undefined ? undefined : basicOf(auths[registry]?.auth);
process.stdout.write(
  JSON.stringify({
    apiVersion,
    kind: 'CredentialProviderResponse',
    cacheKeyType: 'Registry',
    cacheDuration: '0s',
    auth: registry === undefined || basic === undefined ? {} : { [registry]: basic },
  }),
);
