import { dirname } from 'node:path';
import { U7sError } from '../../lib/errors.js';
import { chosenPrograms } from '../../rootless/child.js';
import { namespacePid, nsenterArgs } from '../../rootless/nsenter.js';
import type { DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { passThrough } from '../pass-through.js';

export const defineShell: DefineCommand = (program, cli) => {
  const command = program
    .command('shell')
    .description("Run a shell or a command in the node's namespaces, where you are root over it")
    .argument('[command...]', 'what to run (default: $SHELL)')
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { env } = cli.io;
      const paths = await selectedPaths(cli, command);
      const pid = await namespacePid(paths.childPid);
      const [{ clusterArtifacts }, { readRemembered }, { artifactsOf }] = await Promise.all([
        import('../../instance/artifacts.js'),
        import('../../settings/remembered.js'),
        import('../../plan/plan.js'),
      ]);
      const remembered = await readRemembered(paths.remembered);
      if (remembered === undefined) throw new U7sError('todo', 'the cluster is just being removed');
      const artifacts = await clusterArtifacts(cli, remembered, artifactsOf(remembered));
      const folders = [...artifacts.values()].flatMap(({ binaries }) => Object.values(binaries).map(dirname));
      cli.exitCode = await passThrough({
        command: 'nsenter',
        args: nsenterArgs(pid, words.length > 0 ? words : [env.SHELL || '/bin/sh']),
        env: {
          ...env,
          KUBECONFIG: paths.adminKubeconfig,
          ...(remembered.runtime === 'docker' ? { DOCKER_HOST: `unix://${paths.dockerSocket}` } : {}),
          // Tells programs in there, ourselves included, that uid 0 is not the host's root.
          ROOTLESSKIT_STATE_DIR: paths.rootlesskit,
          PATH: [chosenPrograms, ...new Set(folders), env.PATH].join(':'),
        },
      });
    });
  addExamples(command, [
    ['u7s shell', 'look around'],
    ['u7s shell -- ctr -n k8s.io containers ls', "ask the node's containerd"],
    ['u7s shell -- ip route', 'see its network'],
  ]);
};
