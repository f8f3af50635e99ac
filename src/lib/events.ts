/** What happens while a command works. Everything that takes time reports it here; `ui` renders it. */
export type Event = StepEvent | { kind: 'note' | 'warning'; text: string };

export type StepEvent = {
  kind: 'step';
  /** Stable identity of the step; later events with the same id update it. */
  id: string;
  /** What the user reads, e.g. `kube-apiserver` or `download etcd 3.6.14`. */
  title: string;
  state: 'started' | 'progress' | 'done' | 'failed' | 'skipped';
  /** A few words on how it stands: `12.3/27.0 MB`, `from cache`, the error. */
  detail?: string;
  /** 0 to 1, when the end is known. */
  fraction?: number;
};

export type Report = (event: Event) => void;

/** Runs `work` as one reported step; its result's `detail` may be set by the work through `progress`. */
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
