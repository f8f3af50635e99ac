const MiB = 2 ** 20;

/**
 * Free space below which the kubelet evicts pods and removes unused images. Its own defaults are shares of the disk, 10 % and
 * 15 %, which on a laptop are many gigabytes that pods could use.
 */
export const evictionBytes = 1024 * MiB;
export const evictionText = '1Gi';
