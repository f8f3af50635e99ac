import { open, type FileHandle } from 'node:fs/promises';

export type GoModule = { path: string; version: string };
/** What `go version -m` prints of a program. */
export type GoBuildInfo = { goVersion: string; main?: GoModule; modules: GoModule[] };

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
/** The strings stand in the section itself, as Go has written them since 1.18. */
const inlineStrings = 2;
const headSize = 32;

/** The modules that are linked into a Go program; undefined of any other file. */
export async function goBuildInfo(path: string): Promise<GoBuildInfo | undefined> {
  const file = await open(path);
  try {
    const section = await readSection(file, '.go.buildinfo');
    return section === undefined ? undefined : parseBuildInfo(section);
  } finally {
    await file.close();
  }
}

export function parseBuildInfo(section: Buffer): GoBuildInfo | undefined {
  const at = section.indexOf(magic);
  if (at === -1 || ((section[at + 15] ?? 0) & inlineStrings) === 0) return undefined;
  const [version, next] = readString(section, at + headSize);
  const [wrapped] = readString(section, next);
  // Sixteen bytes before and after mark it for those who look into a running program.
  const text = wrapped.length > 32 ? wrapped.subarray(16, -16).toString('utf8') : '';
  const modules: GoModule[] = [];
  let main: GoModule | undefined;
  for (const line of text.split('\n')) {
    const [kind, path = '', moduleVersion = ''] = line.split('\t');
    if (kind === 'mod') main = { path, version: moduleVersion };
    if (kind === 'dep') modules.push({ path, version: moduleVersion });
    // What replaces the one before it.
    if (kind === '=>') modules[modules.length - 1] = { path, version: moduleVersion };
  }
  return { goVersion: version.toString('utf8'), ...(main ? { main } : {}), modules };
}

/** A length as a varint, then as many bytes. */
function readString(bytes: Buffer, start: number): [text: Buffer, next: number] {
  let [length, shift, at] = [0, 0, start];
  for (;;) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
    shift += 7;
  }
  return [bytes.subarray(at, at + length), at + length];
}

/** Of a 64-bit little-endian ELF file. */
async function readSection(file: FileHandle, wanted: string): Promise<Buffer | undefined> {
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
  const head = await read(0, 64);
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2) return undefined;
  const [entrySize, count, namesIndex] = [
    head.readUInt16LE(58),
    head.readUInt16LE(60),
    head.readUInt16LE(62),
  ];
  const table = await read(Number(head.readBigUInt64LE(40)), entrySize * count);
  const sections = Array.from({ length: Math.floor(table.length / (entrySize || 64)) }, (_, index) => ({
    name: table.readUInt32LE(index * entrySize),
    offset: Number(table.readBigUInt64LE(index * entrySize + 24)),
    size: Number(table.readBigUInt64LE(index * entrySize + 32)),
  }));
  const names = sections[namesIndex];
  if (names === undefined) return undefined;
  const text = await read(names.offset, names.size);
  const nameOf = (start: number): string => text.toString('latin1', start, text.indexOf(0, start));
  const found = sections.find(({ name }) => nameOf(name) === wanted);
  return found && read(found.offset, found.size);
}
