/** What every cluster has unless `--without` names it. */
export const features = ['storage', 'metrics'] as const;

export type Feature = (typeof features)[number];

export function hasFeature(
  { kubernetes, without = [] }: { kubernetes: boolean; without?: readonly Feature[] },
  feature: Feature,
): boolean {
  return kubernetes && !without.includes(feature);
}
