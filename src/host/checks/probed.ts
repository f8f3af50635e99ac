import type { Fix } from '../../lib/fixes.js';
import { ok, unknown, type CheckContext, type CheckDefinition, type Finding } from '../check.js';
import type { Probe } from '../namespace-trial.js';

export const containerFixes: readonly Fix[] = [
  'in a container: docker run --privileged, or --security-opt systempaths=unconfined',
  'elsewhere, unmount what covers parts of /proc or /sys: grep -E " /(proc|sys)/" /proc/self/mountinfo',
];

export const notTried = unknown('not tried: there is no user namespace');

/** A check of something that was tried in namespaces. */
export function probed(
  id: string,
  check: {
    title: string;
    why: string;
    probes: Probe[];
    works: string;
    otherwise: (said: string, context: CheckContext) => Finding;
  },
): CheckDefinition {
  const { title, why, probes, works, otherwise } = check;
  return {
    id,
    title,
    why,
    atStart: true,
    look: async (context) => {
      const { refused, faults } = await context.namespaceTrial();
      if (refused !== undefined) return notTried;
      const said = probes.map((probe) => faults[probe]).find((fault) => fault !== undefined);
      return said === undefined ? ok(works) : otherwise(said, context);
    },
  };
}
