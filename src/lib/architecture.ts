import { U7sError } from './errors.js';

/** As Go, OCI and Kubernetes name processors. */
export type Architecture = 'amd64' | 'arm64';

/** This host's processor. `name` is what Node.js calls it. */
export function architecture(name: string = process.arch): Architecture {
  if (name === 'x64') return 'amd64';
  if (name === 'arm64') return 'arm64';
  throw new U7sError('architecture-unsupported', `there are no binaries for ${name}`, {
    fixes: ['use a host with an amd64 or arm64 processor'],
  });
}
