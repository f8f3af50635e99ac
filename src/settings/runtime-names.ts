/** Apart from the runtimes, so that reading a command line does not load them. */
export const runtimeNames = ['containerd', 'docker', 'crio'] as const;
export type RuntimeName = (typeof runtimeNames)[number];
