/** What every cluster has unless `--without` names it. */
export const features = ['storage', 'metrics', 'netpol'] as const;

export type Feature = (typeof features)[number];

export function hasFeature(
  { kubernetes, without = [] }: { kubernetes: boolean; without?: readonly Feature[] },
  feature: Feature,
): boolean {
  return kubernetes && !without.includes(feature);
}

/** What becomes of NetworkPolicies. `impossible`: they are wanted, but the kernel cannot. */
export const policyEnforcements = ['enforced', 'off', 'impossible'] as const;

export type PolicyEnforcement = (typeof policyEnforcements)[number];
