import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fetch from 'node-fetch';
import type { AgentFor } from '#src/artifacts/download/proxy-agent.js';

/** An image that the Dockerfile is built on: `ubuntu:24.04@sha256:…`. */
export type BaseImage = { argument: string; name: string; tag: string; digest: string };

const registry = 'https://registry-1.docker.io';
/** An index names the images of several architectures. */
const indexes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** The arguments of a Dockerfile that name an image by default; throws for one that is not named by its digest. */
export function baseImages(dockerfile: string): BaseImage[] {
  const named = [...dockerfile.matchAll(/^ARG (BASEOS|[A-Z]+_IMAGE)=(.*)$/gm)];
  return named.map(([, argument = '', image = '']) => {
    const [, name, tag, digest] = /^([a-z]+):([\w.-]+)@(sha256:[0-9a-f]{64})$/.exec(image) ?? [];
    if (name === undefined || tag === undefined || digest === undefined)
      throw new Error(`${argument} is ${image}: not an image with its tag and digest`);
    return { argument, name, tag, digest };
  });
}

export async function readBaseImages(projectRoot: string): Promise<BaseImage[]> {
  return baseImages(await readFile(join(projectRoot, 'Dockerfile'), 'utf8'));
}

/** Why the registry cannot give the image for both architectures; undefined if it can. */
export async function imageFault(
  { name, digest }: BaseImage,
  agent: AgentFor,
  signal: AbortSignal,
): Promise<string | undefined> {
  const scope = `https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/${name}:pull`;
  const { token } = (await (await fetch(scope, { agent, signal })).json()) as { token: string };
  const response = await fetch(`${registry}/v2/library/${name}/manifests/${digest}`, {
    agent,
    signal,
    headers: { authorization: `Bearer ${token}`, accept: indexes.join(', ') },
  });
  if (!response.ok) return `the registry answers ${response.status} ${response.statusText}`;
  const { manifests = [] } = (await response.json()) as {
    manifests?: { platform?: { architecture: string } }[];
  };
  const missing = ['amd64', 'arm64'].filter(
    (wanted) => !manifests.some(({ platform }) => platform?.architecture === wanted),
  );
  return missing.length === 0 ? undefined : `it is no index that has ${missing.join(' and ')}`;
}
