/** Of `status` and `top`: codes that a script can rely on. */
export const exitDegraded = 1;
export const exitStopped = 3;
