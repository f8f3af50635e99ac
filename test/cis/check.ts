import type { RunningCluster } from './cluster.js';

/** The reason says why it fails or does not apply, or what stands in for what is asked for. */
export type Verdict = { status: 'pass' | 'fail' | 'not applicable'; reason?: string };

/** A recommendation of the CIS Kubernetes Benchmark 1.12, in our words, and how it is looked for in a running cluster. */
export type Check = {
  id: string;
  title: string;
  look: (cluster: RunningCluster) => Verdict | Promise<Verdict>;
};

export const check = (id: string, title: string, look: Check['look']): Check => ({ id, title, look });

/** Passes if it is so; `reason` tells what was found instead, or why it is not. */
export const passIf = (condition: boolean, reason?: string): Verdict =>
  condition ? { status: 'pass' } : { status: 'fail', ...(reason === undefined ? {} : { reason }) };

export const passBecause = (condition: boolean, reason: string): Verdict => ({
  status: condition ? 'pass' : 'fail',
  reason,
});

export const notApplicable = (reason: string) => (): Verdict => ({ status: 'not applicable', reason });
