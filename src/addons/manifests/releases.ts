import { U7sError } from '../../lib/errors.js';
import { run } from '../../lib/exec.js';
import { exists } from '../../lib/exists.js';
import { u7s } from '../../lib/fixes.js';
import type { ManifestsPlan } from '../../plan/types.js';
import { uninstallArgs, upgradeArgs, type Chart } from './chart.js';
import type { FileFault } from './files.js';
import type { Release } from './record.js';

export type ChartState = {
  charts: readonly Chart[];
  before: readonly Release[];
  /** Files whose releases stay as they are. */
  unreadable: ReadonlySet<string>;
};

/** Installs charts that are new or have changed, and removes those whose file has gone; one after the other. */
export async function settleCharts(
  plan: Pick<ManifestsPlan, 'helm' | 'helmEnv'>,
  { charts, before, unreadable }: ChartState,
  signal: AbortSignal,
): Promise<{ present: Release[]; faults: FileFault[] }> {
  const faults: FileFault[] = [];
  const isSame = (
    one: Pick<Release, 'name' | 'namespace'>,
    other: Pick<Release, 'name' | 'namespace'>,
  ): boolean => one.name === other.name && one.namespace === other.namespace;
  const present: Release[] = [];
  for (const release of before) {
    if (charts.some((chart) => isSame(chart, release))) continue;
    if (unreadable.has(release.from)) {
      present.push(release);
      continue;
    }
    try {
      await helm(plan, uninstallArgs(release), '', signal);
    } catch (error) {
      signal.throwIfAborted();
      present.push(release);
      faults.push({ file: release.from, error });
    }
  }
  for (const chart of charts) {
    const { name, namespace, file, fingerprint } = chart;
    const installed = before.find((release) => isSame(release, chart));
    const release = { name, namespace, from: file, fingerprint };
    if (installed?.fingerprint === fingerprint) {
      present.push(release);
      continue;
    }
    try {
      await helm(plan, upgradeArgs(chart), JSON.stringify(chart.values), signal);
      present.push(release);
    } catch (error) {
      signal.throwIfAborted();
      // Helm may have made a part of it.
      present.push({ ...release, fingerprint: '' });
      faults.push({ file, error });
    }
  }
  return { present, faults };
}

async function helm(
  { helm: command, helmEnv: env }: Pick<ManifestsPlan, 'helm' | 'helmEnv'>,
  args: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await exists(command))) {
    throw new U7sError('no-helm', 'a chart needs helm, which is not there yet', {
      fixes: [u7s(['helm', 'version'], { text: 'get it' })],
    });
  }
  const { exitCode, stderr } = await run(command, args, { input, env, signal });
  if (exitCode === 0) return;
  throw new U7sError('chart-refused', stderr.trim().split('\n').at(-1) || `helm exited with ${exitCode}`);
}
