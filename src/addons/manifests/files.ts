import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { appearancesOf } from '../../lib/appearance.js';
import { errnoOf, messageOf, U7sError } from '../../lib/errors.js';
import type { KubeObject } from '../../kube/object.js';
import { keyOf, nameOf, refOf } from '../../kube/resources.js';
import { chartEnding, readChart, type Chart } from './chart.js';

/** An object of a file; `line` is where it begins there. */
export type Manifest = { object: KubeObject; file: string; line: number };

/** What is wrong with a file, or with an object of it. */
export type FileFault = { file: string; line?: number; error: unknown };

export type ManifestFiles = { manifests: Manifest[]; charts: Chart[]; faults: FileFault[] };

const endings = ['.yaml', '.yml', '.json'];

/** The files of the folders, as far as these are there, by path. Editors' and hidden files do not count. */
export async function manifestFiles(folders: readonly string[]): Promise<string[]> {
  const listed = folders.map(async (folder) => {
    const entries = await readdir(folder).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
      throw error;
    });
    return entries
      .filter((name) => !name.startsWith('.') && endings.some((ending) => name.endsWith(ending)))
      .sort()
      .map((name) => join(folder, name));
  });
  return (await Promise.all(listed)).flat();
}

/** Changes whenever a file does. */
export async function manifestsAppearance(folders: readonly string[]): Promise<string> {
  return appearancesOf(await manifestFiles(folders).catch((error: unknown) => [messageOf(error)]));
}

export const hasCharts = async (folders: readonly string[]): Promise<boolean> =>
  (await manifestFiles(folders)).some((file) => file.endsWith(chartEnding));

/** Reads all files. One that is broken does not keep the others. */
export async function readManifests(folders: readonly string[]): Promise<ManifestFiles> {
  const found: ManifestFiles = { manifests: [], charts: [], faults: [] };
  for (const file of await manifestFiles(folders)) {
    try {
      const text = await readFile(file, 'utf8');
      if (basename(file).endsWith(chartEnding)) found.charts.push(await readChart(file, text));
      else found.manifests.push(...(await parseManifests(file, text)));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') continue; // it has just gone
      found.faults.push({ file, ...lineOf(error), error });
    }
  }
  return withoutDoubles(found);
}

function lineOf(error: unknown): { line?: number } {
  return error instanceof BrokenFile ? { line: error.line } : {};
}

class BrokenFile extends U7sError {
  override readonly name = 'BrokenFile';
  readonly line: number;

  constructor(line: number, message: string, cause?: unknown) {
    super('manifest-invalid', message, cause === undefined ? {} : { cause });
    this.line = line;
  }
}

/** The objects of a file; throws, with the line, at the first thing that is none. */
export async function parseManifests(file: string, text: string): Promise<Manifest[]> {
  const { LineCounter, parseAllDocuments } = await import('yaml');
  const lineCounter = new LineCounter();
  return [...parseAllDocuments(text, { lineCounter })].flatMap((document) => {
    const lineAt = (offset: number | undefined): number => Math.max(lineCounter.linePos(offset ?? 0).line, 1);
    const [fault] = [...document.errors].sort((a, b) => a.pos[0] - b.pos[0]);
    if (fault !== undefined)
      throw new BrokenFile(
        lineAt(fault.pos[0]),
        (fault.message.split('\n')[0] ?? '').replace(/ at line .*/, ''),
        fault,
      );
    const value: unknown = document.toJS();
    if (value === null) return [];
    const line = lineAt(document.contents?.range?.[0]);
    return itemsOf(value).map((object) => {
      if (isKubeObject(object)) return { object, file, line };
      throw new BrokenFile(line, 'the document has no apiVersion, kind or metadata.name');
    });
  });
}

function itemsOf(value: unknown): unknown[] {
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : [value];
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Record<string, unknown>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return false;
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    typeof (metadata as { name?: unknown }).name === 'string'
  );
}

/** Of an object that several files have, the first counts. */
function withoutDoubles({ manifests, charts, faults }: ManifestFiles): ManifestFiles {
  const first = new Map<string, Manifest>();
  const doubles: FileFault[] = [];
  for (const manifest of manifests) {
    const ref = refOf(manifest.object);
    const before = first.get(keyOf(ref));
    if (before === undefined) first.set(keyOf(ref), manifest);
    else {
      const message = `${nameOf(ref)} is in ${before.file} too, and taken from there`;
      doubles.push({
        file: manifest.file,
        line: manifest.line,
        error: new U7sError('manifest-invalid', message, { fixes: ['remove it from one of the two'] }),
      });
    }
  }
  return { manifests: [...first.values()], charts, faults: [...faults, ...doubles] };
}
