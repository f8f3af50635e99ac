import type { ServiceDefinition } from '../supervisor/definition.js';
import { importBundled, storeOf } from './containerd.js';
import { daemon, type ServiceContext } from '../services/context.js';

const keep = `
ctr=$1 socket=$2 namespace=$3; shift 3
"$ctr" --address "$socket" --namespace "$namespace" events | {
  "$@"
  while read -r event; do
    case $event in *" /images/delete "*) "$@" ;; esac
  done
}`;

/**
 * Restores bundled images that somebody has removed: docker counts one that only pods use as unused, so `docker system prune
 * -a` removes it. Ends when containerd's events end, and is then started again.
 */
export function imageKeeper(context: ServiceContext): ServiceDefinition {
  const { ctr, socket, namespace } = storeOf(context.binary);
  const load = importBundled(context);
  return daemon('image-keeper', {
    command: '/bin/sh',
    args: ['-euc', keep, 'sh', ctr, socket, namespace, load.command, ...load.args],
    dependsOn: { 'bundled-images': 'completed' },
  });
}
