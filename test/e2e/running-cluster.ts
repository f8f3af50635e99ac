import { processTree, type Process } from './account.js';
import { kubectl, sh } from './shell.js';

export type Status = {
  phase: string;
  startedAt: number;
  launcherPid: number;
  preset: string;
  dockerSocket?: string;
  services: { name: string; phase: string; hostPid?: number; restarts: number }[];
};

export async function status(): Promise<Status> {
  return JSON.parse((await sh('bin/u7s.js', ['status', '-o', 'json'])).stdout) as Status;
}

/** The launcher and everything below it, as the host sees it. */
export async function clusterProcesses(): Promise<Process[]> {
  return processTree((await status()).launcherPid);
}

export async function clusterUid(): Promise<string> {
  return kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
}

/** Waits for what comes true by itself within moments. */
export async function until(condition: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not come true within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
