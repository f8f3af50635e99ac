import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textEntry, type BundleEntry } from './entries.js';
import type { GoModule } from './go-build-info.js';

/** Whose licence, and its text where it is at hand. */
export type Licence = { of: string; text?: string };

const licenceFile = /^(licen[cs]e|copying|notice|copyright|unlicense)/i;

/** The texts of a folder's licence files, one after another. */
export async function licenceTextOf(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => licenceFile.test(name) && !/\.(go|js|ts)$/.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  return texts.filter(Boolean).join('\n') || undefined;
}

/** As Go's module cache has it: with `!x` for `X`. */
export async function moduleLicence({ path, version }: GoModule, goCache: string): Promise<Licence> {
  const escaped = `${path}@${version}`.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  const text = await licenceTextOf(join(goCache, 'mod', escaped));
  return { of: `${path} ${version}`, ...(text === undefined ? {} : { text }) };
}

/** Each text once, an index of whose it is, and who has none here. */
export function licenceEntries(licences: readonly Licence[]): BundleEntry[] {
  const texts = new Map<string, string>();
  const lines = new Set<string>();
  const without = new Set<string>();
  for (const { of, text } of licences) {
    if (text === undefined) {
      without.add(of);
      continue;
    }
    const name = `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.txt`;
    texts.set(name, text);
    lines.add(`${of}: ${name}`);
  }
  const index = [
    'What this bundle contains, and the file here with its licence. See docs/licences.md for the programs themselves.',
    '',
    ...[...lines].sort(),
    ...(without.size === 0
      ? []
      : ['', 'Whose text was not at hand when the bundle was made:', '', ...[...without].sort()]),
  ];
  return [
    textEntry('licences/INDEX.txt', `${index.join('\n')}\n`),
    ...[...texts].map(([name, text]) => textEntry(`licences/${name}`, text)),
  ];
}
