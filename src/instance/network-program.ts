import { createReadStream } from 'node:fs';
import { netcheckArchive, netcheckReference } from '../images/bundled.js';
import { importImages, listImages } from '../images/node-images.js';
import { architecture } from '../lib/architecture.js';
import { step } from '../lib/events.js';
import { instanceArtifacts } from './artifacts.js';
import type { InstanceContext } from './context.js';
import { runningNode } from './running-node.js';

/** Has the program of the check in the images of this node. Others may lack it: a start does not wait for it. */
export async function prepareNetworkCheck(context: InstanceContext): Promise<string> {
  const { paths, report, signal } = context;
  const netcheck = (await instanceArtifacts(context, undefined, ['netcheck'])).get('netcheck');
  if (netcheck === undefined) throw new Error('netcheck is missing');
  const reference = netcheckReference(netcheck.version);
  const node = await runningNode(context);
  if ((await listImages(node, signal)).some((image) => image.reference === reference)) return reference;
  await step(report, 'netcheck', 'program of the check', async () => {
    const { archive } = await netcheckArchive({
      architecture: architecture(),
      netcheck: { binary: netcheck.binaries['netcheck'] ?? '', version: netcheck.version },
      dir: paths.images,
      signal,
    });
    await importImages(node, createReadStream(archive), 'netcheck', signal);
  });
  return reference;
}
