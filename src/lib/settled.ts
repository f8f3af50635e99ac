/** Like Promise.all, but settles only when all of the work has ended, even if some of it has failed. */
export async function allSettled(work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
