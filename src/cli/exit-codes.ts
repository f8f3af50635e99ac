/** Of `status`, `top` and `manifests`: codes that a script can rely on. */
export const exitDegraded = 1;
export const exitStopped = 3;
