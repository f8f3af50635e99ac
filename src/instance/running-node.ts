import type { Node } from '../images/node-images.js';
import { U7sError } from '../lib/errors.js';
import { binaryOf } from '../plan/artifacts.js';
import { namespacePid } from '../rootless/nsenter.js';
import { runtimes } from '../runtimes/table.js';
import { readRemembered, type Remembered } from '../settings/remembered.js';
import { instanceArtifacts } from './artifacts.js';
import type { InstanceContext } from './context.js';

/** The node as a store of images. */
export async function runningNode(context: InstanceContext): Promise<Node> {
  const pid = await namespacePid(context.paths.childPid);
  const remembered = await requireRemembered(context);
  const { artifacts, images } = runtimes[remembered.runtime];
  const binary = binaryOf(await instanceArtifacts(context, remembered, artifacts));
  return { pid, store: images(binary) };
}

/** What the instance is, which runs. */
export async function requireRemembered({ name, paths }: InstanceContext): Promise<Remembered> {
  const remembered = await readRemembered(paths.remembered);
  if (remembered === undefined) throw new U7sError('being-removed', `cluster ${name} is being removed`);
  return remembered;
}
