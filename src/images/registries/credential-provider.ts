import { basename } from 'node:path';
import type { Credentials } from './credentials.js';

/** A program that the kubelet asks for credentials at each pull, so that a login counts at once. */
export type CredentialProgram = { node: string; script: string };

/** Depths of names that a pattern of the kubelet is made for: `*` stands for one word between dots. */
const depths = [1, 2, 3, 4, 5, 6];
/** Ports on which registries usually are: a pattern matches no port that it does not name. */
const usualPorts = [443, 5000, 5001, 5005, 5050, 5443, 8080, 8081, 8082, 8083, 8443];

/** Of the kubelet: for which images it asks. `file` is where the credentials are. */
export function credentialProviderConfig(
  { node, script }: CredentialProgram,
  file: string,
  credentials: Credentials,
): object {
  const depthPatterns = depths.map((depth) => Array<string>(depth).fill('*').join('.'));
  const withPorts = depthPatterns.flatMap((pattern) => usualPorts.map((port) => `${pattern}:${port}`));
  const others = Object.keys(credentials).filter((registry) => {
    const [, port] = /^[^/]*:(\d+)(?:\/|$)/.exec(registry) ?? [];
    return port !== undefined && !usualPorts.includes(Number(port));
  });
  return {
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: [
      {
        name: basename(node),
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        matchImages: [...depthPatterns, ...withPorts, ...others.sort()],
        defaultCacheDuration: '0s',
        args: [script, file],
      },
    ],
  };
}

/** The most specific entry for an image: `registry.example/team` before `registry.example`. */
export function registryFor(image: string, credentials: Credentials): string | undefined {
  const matches = Object.keys(credentials).filter(
    (registry) => image === registry || image.startsWith(`${registry}/`),
  );
  return matches.sort((a, b) => b.length - a.length)[0];
}

/** User and password of a credential; undefined where it only has a token. */
export function basicOf(auth: string | undefined): { username: string; password: string } | undefined {
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  return username === undefined || password === undefined
    ? undefined
    : { username, password: password.replace(/\0+$/, '') };
}
