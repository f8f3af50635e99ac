import { FatalArtifactError } from '../errors.js';

/** `url` itself, or where the mirror has it: `<mirror>/<host>/<path>`. The mirror's user and password stay in it. */
export function mirrored(url: string, mirror: string | undefined): string {
  if (!mirror) return url;
  if (!/^https?:\/\//i.test(mirror) || !URL.canParse(mirror)) {
    throw new FatalArtifactError('mirror-invalid', 'U7S_MIRROR is not an http:// or https:// URL', {
      fixes: ['set it to a URL, for example https://mirror.example/files, or unset it'],
    });
  }
  const { host, pathname } = new URL(url);
  const base = new URL(mirror);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/${host}${pathname}`;
  return base.href;
}
