/**
 * Before the tests that need a real node: what they use beside it, the host prepared and the binaries there, as a user
 * would do it. On a fresh machine this takes a quarter of an hour, later an instant.
 */
import { execa } from 'execa';
import { adminEnv, thisHost } from '#src/host/host.js';

/** By program: Debian's package. */
const testPrograms = {
  busybox: 'busybox-static',
  socat: 'socat',
  make: 'make',
  mmdebstrap: 'mmdebstrap',
  'docker-compose': 'docker-compose',
};

const u7s = (...args: string[]): Promise<unknown> => execa('bin/u7s.js', args, { stdio: 'inherit' });

if (process.getuid?.() === 0) {
  await installTestPrograms();
  await u7s('init-host');
}
await u7s('artifacts', 'fetch');

async function installTestPrograms(): Promise<void> {
  const host = thisHost(process.env);
  const missing: string[] = [];
  for (const [program, name] of Object.entries(testPrograms))
    if ((await host.which(program)) === undefined) missing.push(name);
  if (missing.length === 0) return;
  const aptGet = (...args: string[]): Promise<unknown> =>
    execa('apt-get', args, {
      stdio: 'inherit',
      env: adminEnv({ ...process.env, DEBIAN_FRONTEND: 'noninteractive' }),
    });
  await aptGet('update');
  await aptGet('install', '-y', '--no-install-recommends', ...missing);
}
