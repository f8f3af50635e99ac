import type * as zod from 'zod';
import { repositoryPrefix } from './rewrite.js';

type Zod = typeof zod;

/** In the format of k3s' registries.yaml. */
export type Registries = {
  /** By registry, as names of images have it (`docker.io`), or `*` for all others. */
  mirrors: Readonly<Record<string, Mirror>>;
  /** By host and port: of registries and of endpoints. */
  configs: Readonly<Record<string, RegistryConfig>>;
};

export type Mirror = {
  /** URLs, which are tried in this order; the registry itself is the last. */
  endpoint?: string[] | undefined;
  /** Regular expression of repositories → what the endpoints call them. */
  rewrite?: Record<string, string> | undefined;
};

/** One source of them. */
export type RegistriesLayer = { [Part in keyof Registries]?: Registries[Part] | undefined };

export type RegistryConfig = { auth?: Auth | undefined; tls?: Tls | undefined };

/** `auth` is `user:password` in base64. */
export type Auth = {
  username?: string | undefined;
  password?: string | undefined;
  auth?: string | undefined;
  identity_token?: string | undefined;
};

export type Tls = {
  ca_file?: string | undefined;
  cert_file?: string | undefined;
  key_file?: string | undefined;
  insecure_skip_verify?: boolean | undefined;
};

const host =
  /^(localhost|[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$/;

/** `registry.example:5000`, as it stands in the name of an image. */
export function isRegistryHost(text: string): boolean {
  return host.test(text);
}

/** @param secrets whether credentials may stand in it: not where it is remembered and shown */
export function registriesSchema(z: Zod, secrets: 'allowed' | 'refused') {
  const server = z
    .string()
    .refine(
      (text) => isRegistryHost(text),
      'name a registry by host and port, such as registry.example:5000, without a scheme or path',
    );
  const registry = z
    .string()
    .refine(
      (text) => text === '*' || isRegistryHost(text),
      'name a registry as images do, such as docker.io or registry.example:5000, or * for all others',
    );
  const file = z.string().regex(/^\//, 'must be an absolute path');
  const auth = z
    .strictObject({
      username: z.string().min(1).optional(),
      password: z.string().optional(),
      auth: z.string().min(1).optional(),
      identity_token: z.string().min(1).optional(),
    })
    .refine(
      ({ username, password, auth: both, identity_token: token }) =>
        secrets === 'refused' ||
        token !== undefined ||
        (both === undefined
          ? username !== undefined && password !== undefined
          : Buffer.from(both, 'base64').includes(':')),
      'must have username and password, or auth with both of them in base64 as USER:PASSWORD',
    )
    .refine(
      () => secrets === 'allowed',
      'a description is remembered and shown, so that no password may stand in it: put it into registries.yaml, or log in',
    );
  const tls = z
    .strictObject({
      ca_file: file.optional(),
      cert_file: file.optional(),
      key_file: file.optional(),
      insecure_skip_verify: z.boolean().optional(),
    })
    .refine(
      ({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined),
      'cert_file and key_file belong together',
    );
  const mirror = z.strictObject({
    endpoint: z.array(z.string().refine(isEndpoint, endpointWords)).optional(),
    rewrite: rewrites(z).optional(),
  });
  return z.strictObject({
    mirrors: z.record(registry, mirror.nullable().transform(orEmpty)).optional(),
    configs: z
      .record(
        server,
        z.strictObject({ auth: auth.optional(), tls: tls.optional() }).nullable().transform(orEmpty),
      )
      .optional(),
  });
}

function orEmpty<T extends object>(value: T | null): T | Record<string, never> {
  return value ?? {};
}

function rewrites(z: Zod) {
  return z.record(z.string(), z.string()).superRefine((rules, context) => {
    for (const [pattern, replacement] of Object.entries(rules)) {
      if (repositoryPrefix(pattern, replacement) !== undefined) continue;
      const message = `${pattern}: ${replacement} cannot be done by every runtime: a rewrite must put a prefix before the name, such as "^(.*)$": "cache/$1" or "^library/(.*)": "cache/library/$1"`;
      context.addIssue({ code: 'custom', message });
    }
  });
}

const endpointWords =
  'must be a URL with http or https, such as https://mirror.example:5000, without a password, query or fragment';

function isEndpoint(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === '');
}

/** Later layers count for more, registry by registry. */
export function mergeRegistries(layers: readonly RegistriesLayer[]): Registries {
  return {
    mirrors: Object.assign({}, ...layers.map(({ mirrors }) => mirrors)) as Registries['mirrors'],
    configs: Object.assign({}, ...layers.map(({ configs }) => configs)) as Registries['configs'],
  };
}
