import { U7sError } from '../../lib/errors.js';
import { namespacePid } from '../../rootless/nsenter.js';
import { runtimes } from '../../runtimes/table.js';
import { readRemembered, type Remembered } from '../../settings/remembered.js';
import { instanceArtifacts } from '../artifacts.js';
import type { InstanceContext } from '../context.js';
import { anotherInstance, type Invocation } from './invocation.js';

/** How docker is executed against the instance's dockerd. */
export async function docker(context: InstanceContext, args: readonly string[]): Promise<Invocation> {
  const { paths } = context;
  const remembered = await readRemembered(paths.remembered);
  if (needsDaemon(args)) await requireDaemon(context, remembered);
  const artifacts = await instanceArtifacts(context, remembered, ['docker']);
  const command = artifacts.get('docker')?.binaries.docker;
  if (command === undefined) throw new Error('the docker artifact has no docker');
  const { DOCKER_CONTEXT: _, ...env } = context.env;
  return { command, args, env: { ...env, DOCKER_HOST: `unix://${paths.dockerSocket}` } };
}

async function requireDaemon(
  { env, name, paths }: InstanceContext,
  remembered: Remembered | undefined,
): Promise<void> {
  if (remembered !== undefined && runtimes[remembered.runtime].engine === undefined) {
    throw new U7sError('no-dockerd', `cluster ${name} is ${remembered.preset}, which has no dockerd`, {
      fixes: [anotherInstance('default-docker')],
    });
  }
  // In the node's namespaces the host's process IDs mean nothing.
  if (!env.ROOTLESSKIT_STATE_DIR) await namespacePid(paths.childPid);
}

const localVerbs = new Set([undefined, 'help', 'completion', 'context']);

/** Whether docker will talk to dockerd. */
export function needsDaemon(args: readonly string[]): boolean {
  if (args.some((arg) => ['--help', '-h', '-v', '--version'].includes(arg))) return false;
  return !localVerbs.has(args.find((arg) => !arg.startsWith('-')));
}
