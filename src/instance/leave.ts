import { rm } from 'node:fs/promises';
import type { Paths } from '../settings/paths.js';
import { messageOf } from '../lib/errors.js';
import { step, type Report } from '../lib/events.js';
import type { Cli } from '../cli/command.js';

/** As what a node has joined. */
export type Membership = { controlPlane: string; nodeName: string };

/** Undefined for a cluster of its own, and where there is none. */
export async function membership({ remembered }: Paths): Promise<Membership | undefined> {
  const { readRemembered } = await import('../settings/remembered.js');
  const { controlPlane, nodeName } = (await readRemembered(remembered))?.settled ?? {};
  return controlPlane === undefined || nodeName === undefined ? undefined : { controlPlane, nodeName };
}

/** Takes the node out of its cluster and removes its data. Returns whether the control plane has heard of it. */
export async function leaveCluster(
  cli: Cli,
  paths: Paths,
  joined: Membership,
  report: Report,
): Promise<boolean> {
  const isForgotten = await takeLeave(cli, paths, joined, report);
  // First: in a container this command may end with the node, before all is removed. `join` removes the rest.
  await rm(paths.remembered, { force: true });
  await emptyCluster(cli, paths);
  return isForgotten;
}

/** Stops the cluster and removes what it has stored. */
export async function emptyCluster(cli: Cli, paths: Paths): Promise<void> {
  const [{ stopInstance }, { installedRootlessKit, removeAll, resetPlan }] = await Promise.all([
    import('../launcher/client.js'),
    import('./removal.js'),
  ]);
  await stopInstance(paths.controlSocket, cli.signal);
  const rootlesskit = await installedRootlessKit(paths);
  await removeAll(await resetPlan(paths), { rootlesskit, home: paths.home, signal: cli.signal });
}

async function takeLeave(
  cli: Cli,
  paths: Paths,
  { controlPlane, nodeName }: Membership,
  report: Report,
): Promise<boolean> {
  const [{ removeNode }, { connectAsNode }] = await Promise.all([
    import('../membership/remove-node.js'),
    import('../membership/certificates.js'),
  ]);
  try {
    const node = await connectAsNode(controlPlane, paths.pki);
    await step(report, 'leave', `leave from ${controlPlane}`, (progress) =>
      removeNode(node, nodeName, progress, cli.signal),
    );
    node.close();
    return true;
  } catch (error) {
    cli.signal.throwIfAborted();
    report({ kind: 'warning', text: `the control plane could not be told: ${messageOf(error)}` });
    return false;
  }
}
