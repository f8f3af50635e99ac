import { readFile } from 'node:fs/promises';

/**
 * The add-ons that the instance is to have by now, from the file of `remembered.ts`. Apart from it, since the launcher does
 * not load what checks settings.
 */
export async function rememberedAddons(file: string): Promise<readonly string[]> {
  const { settled } = JSON.parse(await readFile(file, 'utf8')) as { settled?: { addons?: string[] } };
  return settled?.addons ?? [];
}
