import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC of open(2), as /proc/self/fdinfo writes flags: in octal. */
const closeOnExec = 0o2000000;

/**
 * Closes what root's shell has left open for us besides the standard streams, so that the account's processes do not get
 * it. What Node.js opened itself ends with an exec by itself.
 */
export function closeInherited(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (descriptor <= 2 || (flagsOf(descriptor) & closeOnExec) !== 0) continue;
    closeSync(descriptor);
  }
}

/** Those of one that is gone, as the descriptor of the listing itself is, count as Node's own. */
function flagsOf(descriptor: number): number {
  try {
    const [, flags = ''] =
      /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? [];
    return parseInt(flags, 8);
  } catch {
    return closeOnExec;
  }
}
