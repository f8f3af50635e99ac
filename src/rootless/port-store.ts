import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, errnoOf } from '../lib/errors.js';
import { formatPortSpec, parsePortSpec, type PortSpec } from './port-spec.js';

/** The ports published by hand, kept over restarts. One process at a time may use a store. */
export type PortStore = {
  /** Throws when the file cannot be understood. */
  list(): Promise<PortSpec[]>;
  add(spec: PortSpec): Promise<void>;
  remove(spec: PortSpec): Promise<void>;
};

/** `file` is JSON: `{"ports": ["0.0.0.0:8080:80/tcp", …]}`, in the order in which they were added. */
export function createPortStore(file: string): PortStore {
  // One change after the other: each reads what the one before it wrote.
  let last: Promise<unknown> = Promise.resolve();
  const change = (edit: (texts: string[]) => string[]): Promise<void> => {
    const done = last.then(async () => {
      const ports = edit((await read(file)).map(formatPortSpec));
      await writeFileAtomic(file, `${JSON.stringify({ ports }, null, 2)}\n`);
    });
    last = done.catch(() => undefined);
    return done;
  };
  const without = (spec: PortSpec) => (texts: string[]) =>
    texts.filter((text) => text !== formatPortSpec(spec));
  return {
    list: () => last.then(() => read(file)),
    add: (spec) => change((texts) => [...without(spec)(texts), formatPortSpec(spec)]),
    remove: (spec) => change(without(spec)),
  };
}

async function read(file: string): Promise<PortSpec[]> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { ports: string[] }).ports.map(parsePortSpec);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new U7sError(
      'damaged-file',
      `cannot read the ports that were published by hand: ${file} is damaged`,
      {
        fixes: [`remove it, and add the ports again: rm ${file}`],
        cause: error,
      },
    );
  }
}
