import type { Addon } from '../addon.js';

/** Traefik, for Ingresses and for the Gateway API. */
export const ingress: Addon = {
  name: 'ingress',
  help: 'Ingress and Gateway API by Traefik, on ports 80 and 443 of this host or 8000 higher',
  costs: '100 MiB of memory, 400 MiB of disk',
  namespace: 'usernetes-ingress',
  deployment: 'traefik',
  artifacts: ['traefik', 'gateway-api'],
  image: {
    artifact: 'traefik',
    name: 'traefik',
    spec: ({ architecture, binary, version }) => ({
      reference: `localhost/traefik:${version}`,
      architecture,
      rootfs: { files: [{ path: '/traefik', mode: 0o755, content: { fromFile: binary } }] },
      entrypoint: ['/traefik'],
      user: '65532:65532',
    }),
  },
  imagePlaceholder: 'TRAEFIK_IMAGE',
  definitions: { artifact: 'gateway-api', file: 'gateway-api.json' },
};
