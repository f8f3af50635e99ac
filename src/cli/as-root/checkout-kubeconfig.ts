import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { renderKubeconfig } from '../../kube/kubeconfig.js';
import { readKubeconfigParts } from '../../kube/kubeconfig-parts.js';
import { writeFileAtomic } from '../../lib/atomic-file.js';
import { run } from '../../lib/exec.js';
import type { Invocation } from '../pass-through.js';

/** How often a start in the foreground is looked at. */
const periodMs = 500;

export type CheckoutKubeconfig = {
  /** Writes it whenever the account's has changed, until `end`, which looks once more. */
  end: () => Promise<void>;
};

type Source = {
  projectRoot: string;
  /** The account's own kubeconfig of the cluster. */
  adminKubeconfig: string;
  asUser: (argv: readonly string[]) => Invocation;
};

/**
 * Keeps `config/localhost.kubeconfig` of root's checkout, for a kubectl on the host. It is a file of root's, written from
 * checked parts: root's kubectl would run whatever programs the account names in a kubeconfig. The account's file is read
 * as the account, so that no link of theirs leads root anywhere. When the cluster's kubeconfig is gone in the end, so is
 * the checkout's, or the one before is back.
 */
export function keepCheckoutKubeconfig(source: Source): CheckoutKubeconfig {
  const path = join(source.projectRoot, 'config', 'localhost.kubeconfig');
  const before = readFile(path, 'utf8').catch(() => undefined);
  let written: string | undefined;
  let state = '';
  const look = async (): Promise<void> => {
    const now = await stateOf(source.adminKubeconfig);
    if (now === undefined || now === state) return;
    state = now;
    const text = await checkedKubeconfig(source);
    if (text === undefined || text === written) return;
    await before;
    written = text;
    // A checkout that cannot be written goes without.
    await writeFileAtomic(path, `${markOf(source)}\n${text}`).catch(() => {});
  };
  let looking = Promise.resolve();
  const lookAgain = (): Promise<void> => (looking = looking.then(look));
  const timer = setInterval(() => void lookAgain(), periodMs);
  void lookAgain();
  return {
    end: async () => {
      clearInterval(timer);
      await lookAgain();
      if ((await stateOf(source.adminKubeconfig)) !== undefined) return;
      await removeCheckoutKubeconfig(source);
      const old = await before;
      if (old !== undefined && !old.startsWith(`${markOf(source)}\n`) && written !== undefined)
        await writeFileAtomic(path, old).catch(() => {});
    },
  };
}

/** Removes it if it is of this cluster. */
export async function removeCheckoutKubeconfig({
  projectRoot,
  adminKubeconfig,
}: Pick<Source, 'projectRoot' | 'adminKubeconfig'>): Promise<void> {
  const path = join(projectRoot, 'config', 'localhost.kubeconfig');
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.startsWith(`${markOf({ adminKubeconfig })}\n`)) await rm(path, { force: true }).catch(() => {});
}

/** Undefined when there is none, or none that is a kubeconfig of ours. */
async function checkedKubeconfig({ adminKubeconfig, asUser }: Source): Promise<string | undefined> {
  const { command, args, env } = asUser(['cat', '--', adminKubeconfig]);
  try {
    const { exitCode, stdout } = await run(command, args, { env, timeout: 10_000 });
    if (exitCode !== 0) return undefined;
    return renderKubeconfig(await readKubeconfigParts(stdout, adminKubeconfig));
  } catch {
    return undefined;
  }
}

/** Changes with the file; links are not followed. */
async function stateOf(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  return stats && `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
}

const markOf = ({ adminKubeconfig }: Pick<Source, 'adminKubeconfig'>): string =>
  `# from ${JSON.stringify(adminKubeconfig)}`;
