import type { Clock } from '#src/ui/renderer.js';

/** A clock that stands still until it is told. */
export function fakeClock(): Clock & { advance: (ms: number) => void } {
  let time = Date.UTC(2030, 0, 1);
  const ticks = new Set<() => void>();
  return {
    now: () => time,
    every: (_ms, tick) => {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
    advance: (ms) => {
      time += ms;
      for (const tick of ticks) tick();
    },
  };
}

export function fakeStderr(options: { isTTY?: boolean; columns?: number; rows?: number } = {}) {
  const written: string[] = [];
  return { ...options, write: (text: string) => written.push(text), text: () => written.join('') };
}
