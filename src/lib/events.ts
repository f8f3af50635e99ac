import { codeOf, fixesOf, messageOf } from './errors.js';
import type { Fix } from './fixes.js';

/** What happens while a command works: everything that takes time reports it, and `ui` renders it. */
export type Event = StepEvent | Note | Warning;

/** Good to know. `fixes` are what could be done about it. */
export type Note = { kind: 'note'; text: string; fixes?: readonly Fix[] };

/** Something is wrong, yet the work goes on. `code` and `fixes` as of an error. */
export type Warning = { kind: 'warning'; text: string; code?: string; fixes?: readonly Fix[] };

export type StepEvent = {
  kind: 'step';
  /** Stable identity of the step; later events with the same id update it. */
  id: string;
  /** What the user reads, e.g. `kube-apiserver` or `download etcd 3.6.14`. */
  title: string;
  state: 'started' | 'progress' | 'done' | 'failed';
  /** A few words on its state: `12.3/27.0 MB`, `from cache`, the error. */
  detail?: string;
  /** 0 to 1, when the end is known. */
  fraction?: number;
};

export type Report = (event: Event) => void;

/** The warning that replaces an error, where the work can go on without what failed. */
export function warningOf(error: unknown, text = messageOf(error)): Warning {
  const [code, fixes] = [codeOf(error), fixesOf(error)];
  return {
    kind: 'warning',
    text,
    ...(code === undefined ? {} : { code }),
    ...(fixes.length > 0 ? { fixes } : {}),
  };
}

/** Reports `work` as one step. The last `detail` that it passes to `progress` is that of the result, too. */
export async function step<T>(
  report: Report,
  id: string,
  title: string,
  work: (progress: (detail: string, fraction?: number) => void) => Promise<T>,
): Promise<T> {
  let last: string | undefined;
  const progress = (detail: string, fraction?: number): void => {
    last = detail;
    report({
      kind: 'step',
      id,
      title,
      state: 'progress',
      detail,
      ...(fraction === undefined ? {} : { fraction }),
    });
  };
  report({ kind: 'step', id, title, state: 'started' });
  try {
    const result = await work(progress);
    report({ kind: 'step', id, title, state: 'done', ...(last === undefined ? {} : { detail: last }) });
    return result;
  } catch (error) {
    report({ kind: 'step', id, title, state: 'failed' });
    throw error;
  }
}
