export type Progress = (detail: string, fraction?: number) => void;

/** Adds up the files of one artifact. */
export function createByteCounter(
  files: number,
  progress: Progress,
): (index: number, received: number, total?: number) => void {
  const received = new Array<number>(files).fill(0);
  const totals = new Array<number | undefined>(files).fill(undefined);
  const show = throttle(progress);
  return (index, bytes, total) => {
    received[index] = bytes;
    totals[index] = total;
    const have = sum(received);
    const known = totals.filter((value) => value !== undefined);
    if (known.length < files) show(`${megabytes(have)} MB`);
    else show(`${megabytes(have)}/${megabytes(sum(known))} MB`, have / sum(known));
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Lets through at most ten events a second, and always the last. */
export function throttle(progress: Progress): Progress {
  let last = 0;
  return (detail, fraction) => {
    const now = Date.now();
    if (now - last < 100 && fraction !== 1) return;
    last = now;
    progress(detail, fraction);
  };
}
