import { Header, Pax } from 'tar';

export type TarEntry = {
  path: string;
  type: 'File' | 'Directory' | 'SymbolicLink' | 'Link';
  mode: number;
  size?: number;
  linkpath?: string;
};

export const blockSize = 512;

/** Two empty blocks end an archive. */
export const endOfArchive = Buffer.alloc(2 * blockSize);

/** The header of an entry that belongs to root and has no date, so that equal contents give equal bytes. */
export function tarHeader(entry: TarEntry): Buffer {
  const header = new Header({ size: 0, ...entry, uid: 0, gid: 0, mtime: new Date(0) });
  const needsPax = header.encode();
  if (header.block === undefined) throw new Error(`no tar header for ${entry.path}`);
  return needsPax ? Buffer.concat([new Pax(entry).encode(), header.block]) : header.block;
}

/** Fills up the last block of a file of `size` bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}
