/** By themselves, so that a command line is read without loading what a runtime is. */
export const runtimeNames = ['containerd', 'docker', 'crio'] as const;
export type RuntimeName = (typeof runtimeNames)[number];
