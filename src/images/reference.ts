import { UsageError } from '../lib/errors.js';

// The grammar of github.com/distribution/reference, without digests.
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const host = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const grammar = new RegExp(`^(?:(${host})/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?$`);

/** The full name that container runtimes use: `busybox` is `docker.io/library/busybox:latest`. */
export function parseReference(text: string): { reference: string; tag: string } {
  const first = text.split('/')[0] ?? '';
  const hasHost = text.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const short = text.includes('/') ? `docker.io/${text}` : `docker.io/library/${text}`;
  const [, registry, repository, tag = 'latest'] = grammar.exec(hasHost ? text : short) ?? [];
  if (registry === undefined || repository === undefined) {
    throw new UsageError(
      'image-name-invalid',
      `${JSON.stringify(text)} is not an image name`,
      'write it in lower case and without a digest, for example localhost/hello:1',
    );
  }
  return { reference: `${registry}/${repository}:${tag}`, tag };
}

/** The same of a name that may have a digest in place of its tag: `busybox@sha256:…`. */
export function fullReference(text: string): string {
  const [name = '', digest] = text.split('@');
  const { reference } = parseReference(name);
  if (digest === undefined) return reference;
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return `${reference.replace(/:[^:/]*$/, '')}@${digest}`;
  throw new UsageError(
    'image-name-invalid',
    `${JSON.stringify(digest)} is not a digest`,
    'write it as sha256: and 64 digits from 0 to f',
  );
}
