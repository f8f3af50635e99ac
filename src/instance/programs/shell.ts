import { dirname } from 'node:path';
import { hasSeveralNodes } from '../../settings/role.js';
import { artifactsOf } from '../../plan/artifacts.js';
import { chosenPrograms } from '../../rootless/child.js';
import { namespacePid, nsenterArgs } from '../../rootless/nsenter.js';
import { features } from '../../settings/features.js';
import { runtimes } from '../../runtimes/table.js';
import { instanceArtifacts } from '../artifacts.js';
import type { InstanceContext } from '../context.js';
import { requireRemembered } from '../running-node.js';
import type { Invocation } from './invocation.js';

/** How a command, or without words a shell, is executed in the node's namespaces. */
export async function shell(context: InstanceContext, words: readonly string[]): Promise<Invocation> {
  const { env, paths } = context;
  const pid = await namespacePid(paths.childPid);
  const remembered = await requireRemembered(context);
  const artifacts = await instanceArtifacts(
    context,
    remembered,
    artifactsOf({ ...remembered, severalNodes: hasSeveralNodes(remembered), without: [...features] }),
  );
  const folders = [...artifacts.values()].flatMap(({ binaries }) => Object.values(binaries).map(dirname));
  return {
    command: 'nsenter',
    args: nsenterArgs(pid, words.length > 0 ? [...words] : [env.SHELL || '/bin/sh']),
    env: {
      ...env,
      KUBECONFIG: paths.adminKubeconfig,
      ...runtimes[remembered.runtime].engine?.clientEnv(paths.dockerSocket),
      // Tells programs in there, ourselves included, that uid 0 is not the host's root.
      ROOTLESSKIT_STATE_DIR: paths.rootlesskit,
      PATH: [chosenPrograms, ...new Set(folders), env.PATH].join(':'),
    },
  };
}
