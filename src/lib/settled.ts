/** Like Promise.all, but comes back only when no piece of work is under way any more. */
export async function allSettled(work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
