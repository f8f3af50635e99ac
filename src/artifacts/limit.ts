export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets at most `count` tasks run at once; the others wait in order. */
export function createLimit(count: number): Limit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
