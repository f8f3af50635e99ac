import { U7sError } from '../../lib/errors.js';
import { exists } from '../../lib/exists.js';
import { u7s } from '../../lib/fixes.js';
import { readRemembered } from '../../settings/remembered.js';
import { instanceArtifacts } from '../artifacts.js';
import type { InstanceContext } from '../context.js';
import type { Invocation } from './invocation.js';

/** How helm is executed as the administrator of the cluster; it is got the first time. */
export async function helm(context: InstanceContext, args: readonly string[]): Promise<Invocation> {
  const { env, name, paths } = context;
  if (asksCluster(args) && !(await exists(paths.adminKubeconfig))) {
    throw new U7sError('not-running', `cluster ${name} has no administrator here: it has not been started`, {
      fixes: [u7s(['up'], { text: 'start it' })],
    });
  }
  const artifacts = await instanceArtifacts(context, await readRemembered(paths.remembered), ['helm']);
  const command = artifacts.get('helm')?.binaries['helm'];
  if (command === undefined) throw new Error('the artifact has no helm');
  return { command, args, env: { ...env, KUBECONFIG: paths.adminKubeconfig } };
}

const clusterVerbs = new Set([
  ...['get', 'history', 'install', 'list', 'ls', 'rollback', 'status', 'test', 'uninstall', 'upgrade'],
]);

function asksCluster(args: readonly string[]): boolean {
  if (args.includes('--help') || args.includes('-h')) return false;
  return clusterVerbs.has(args.find((arg) => !arg.startsWith('-')) ?? '');
}
