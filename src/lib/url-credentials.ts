/** Up to the last `@` of what is not the path: a password may have one, though it should be encoded. */
const credentials = /^([a-z0-9+.-]+:\/\/)?([^/:]*)(:[^/]*)?@/i;

/** `http://user:secret@proxy:3128` without the user and the secret. */
export function withoutCredentials(url: string): string {
  return url.replace(credentials, '$1');
}

/** `http://user:secret@proxy:3128` as `http://user:***@proxy:3128`. */
export function withoutPassword(url: string): string {
  return url.replace(credentials, (_, scheme = '', user: string, secret?: string) =>
    secret === undefined ? `${scheme}${user}@` : `${scheme}${user}:***@`,
  );
}
