import type { Note, Report } from '../lib/events.js';
import type { Fix } from '../lib/fixes.js';
import { visible } from '../lib/visible.js';

/** One way to show events. `close` leaves the terminal as a finished program should. */
export type Renderer = { report: Report; close: () => void };

/** Where progress is written to. A terminal of which nobody has set the size says 0 columns and rows. */
export type Output = { write: (text: string) => unknown; isTTY?: boolean; columns?: number; rows?: number };

/** The words of a fix, for the person who reads it. */
export type FixText = (fix: Fix) => string;

/** A text with its fixes below it. */
export function textWithFixes({ text, fixes = [] }: Pick<Note, 'text' | 'fixes'>, fixText: FixText): string {
  const lines = fixes.map((fix) => `  fix: ${fixText(fix).replaceAll('\n', '\n       ')}`);
  return visible([text, ...lines].join('\n'));
}

/** The time as renderers see it, so that a test can set it. In milliseconds. */
export type Clock = {
  now: () => number;
  /** Calls `tick` repeatedly without keeping the process alive; returns how to stop that. */
  every: (ms: number, tick: () => void) => () => void;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  every: (ms, tick) => {
    const timer = setInterval(tick, ms).unref();
    return () => clearInterval(timer);
  },
};

/** A time span in kubectl's notation: `0.4s`, `42s`, `3m12s`, `1h5m`. */
export function formatElapsed(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
}
