import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of an artifact's documents, beside `bin`. */
export const documentsIn = (directory: string): string => join(directory, 'share');

/** Makes lists in JSON, which is read in a fraction of the time, of the YAML that a module comes with. */
export async function writeDocuments(
  module: string,
  documents: Readonly<Record<string, readonly string[]>>,
  folder: string,
): Promise<void> {
  const { parseAllDocuments } = await import('yaml');
  await mkdir(folder, { recursive: true });
  for (const [file, sources] of Object.entries(documents)) {
    const texts = await Promise.all(sources.map((source) => readFile(join(module, source), 'utf8')));
    const objects = texts.flatMap((text) =>
      [...parseAllDocuments(text)].flatMap((document): unknown[] => {
        const object: unknown = document.toJS();
        return object === null ? [] : [object];
      }),
    );
    await writeFile(join(folder, file), `${JSON.stringify(objects)}\n`);
  }
}
