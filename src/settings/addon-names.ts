/** What a cluster can have by one word. */
export const addonNames = ['ingress'] as const;

export type AddonName = (typeof addonNames)[number];

/** Those of a control plane with Kubernetes; other nodes have none of their own. */
export function addonsOf({
  kubernetes,
  controlPlane,
  addons,
}: {
  kubernetes: boolean;
  controlPlane?: string | undefined;
  addons?: readonly AddonName[] | undefined;
}): AddonName[] {
  return kubernetes && controlPlane === undefined ? [...new Set(addons)] : [];
}
