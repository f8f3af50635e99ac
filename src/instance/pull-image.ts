import { readFile } from 'node:fs/promises';
import { pullByCri, pullFailed } from '../images/cri-pull.js';
import { basicOf, registryFor } from '../images/registries/credential-provider.js';
import type { Credentials } from '../images/registries/credentials.js';
import { registryFiles } from '../images/registries/render.js';
import { run } from '../lib/exec.js';
import { step } from '../lib/events.js';
import { namespacePid } from '../rootless/nsenter.js';
import { runtimes } from '../runtimes/table.js';
import type { InstanceContext } from './context.js';
import { docker } from './programs/docker.js';
import { requireRemembered } from './running-node.js';

/** Pulls an image into the node as a pod would, with what is set for its registry. */
export async function pullImage(context: InstanceContext, reference: string): Promise<void> {
  const { paths, report, signal } = context;
  const pid = await namespacePid(paths.childPid);
  const { kubernetes, runtime } = await requireRemembered(context);
  await step(report, `pull ${reference}`, `pull ${reference}`, async (progress) => {
    const begun = Date.now();
    const tick = setInterval(() => progress(`for ${Math.round((Date.now() - begun) / 1000)} s`), 15_000);
    try {
      if (kubernetes) await byCri(`/proc/${pid}/root${runtimes[runtime].criSocket}`);
      else await byEngine();
    } finally {
      clearInterval(tick);
    }
  });

  async function byCri(socket: string): Promise<void> {
    const { credentials } = registryFiles(paths.registries);
    const { auths } = JSON.parse(await readFile(credentials, 'utf8')) as { auths: Credentials };
    const auth = auths[registryFor(reference, auths) ?? '']?.auth;
    await pullByCri(socket, reference, basicOf(auth), signal);
  }

  /** Without Kubernetes there is no CRI. The docker client reads passwords from the same file. */
  async function byEngine(): Promise<void> {
    const { command, args, env } = await docker(context, [
      '--config',
      paths.registries,
      'pull',
      '--quiet',
      reference,
    ]);
    const { exitCode, stderr } = await run(command, args, { env, signal });
    if (exitCode !== 0) throw pullFailed(reference, stderr.trim().split('\n').at(-1) ?? '');
  }
}
