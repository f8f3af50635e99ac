import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A home of its own for a test: the environment that leads there, and where the default cluster's state lies. */
export async function clusterHome(
  t: ExecutionContext,
): Promise<{ env: Record<string, string>; state: string }> {
  const home = await mkdtemp(join(tmpdir(), 'u7s cli '));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const [runtime, state] = [join(home, 'run'), join(home, 'state', 'usernetes', 'default')];
  await mkdir(runtime, { mode: 0o700 });
  await mkdir(join(state, 'logs'), { recursive: true });
  return { env: { HOME: home, XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: join(home, 'state') }, state };
}
