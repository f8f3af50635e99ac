import { access, readFile } from 'node:fs/promises';
import { U7sError, errnoOf } from '../../lib/errors.js';
import type { DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineKubeconfig: DefineCommand = (program, cli) => {
  const command = program
    .command('kubeconfig')
    .description("Print the administrator's kubeconfig")
    .option('--path', 'print where the file is')
    .action(async ({ path }: { path?: true }) => {
      const { adminKubeconfig } = await selectedPaths(cli, command);
      try {
        await access(adminKubeconfig);
        cli.io.stdout.write(path ? `${adminKubeconfig}\n` : await readFile(adminKubeconfig, 'utf8'));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        throw new U7sError('todo', `there is no ${adminKubeconfig}: the cluster has never been started`, {
          fixes: ['start it: ./run.sh'],
          cause: error,
        });
      }
    });
  addExamples(command, [
    ['u7s kubeconfig > ~/.kube/config', 'for the kubectl you have'],
    ['export KUBECONFIG=$(u7s kubeconfig --path)', 'the same for one shell'],
  ]);
};
