import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { U7sError } from '../lib/errors.js';

/** Has install.sh put another version, or the one before, in the place of the one that runs this. Returns its exit code. */
export async function selfUpdate(
  { projectRoot, env }: { projectRoot: string; env: Record<string, string | undefined> },
  to: { from: string; sha256?: string } | 'previous',
): Promise<number> {
  const data = dirname(projectRoot);
  if (!basename(projectRoot).startsWith('usernetes-') || !existsSync(join(data, 'usernetes-current'))) {
    throw new U7sError('not-self-installed', `${projectRoot} was not installed by install.sh`, {
      fixes: [
        'install a bundle: sh install.sh FILE',
        'update this one the way it came: git pull, npm install --global',
      ],
    });
  }
  const args =
    to === 'previous'
      ? ['--rollback']
      : [...(to.sha256 === undefined ? [] : ['--sha256', to.sha256]), to.from];
  const child = spawn('sh', [join(projectRoot, 'install.sh'), ...args], {
    // To where this one is, whatever the environment says by now.
    env: { ...env, XDG_DATA_HOME: data },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}
