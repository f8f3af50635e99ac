export type Command = { command: string; args: string[] };

export type NodeImage = { reference: string; digest: string; size: string };

/** How images get into a container runtime, through programs that run in the node's namespaces. */
export type ImageStore = {
  /** Imports every image of an archive; `-` reads it from stdin. */
  importCommand(archive: string): Command;
  listCommand(): Command;
  /** `printed` is what `listCommand` prints: an image can have more records than its name. */
  removeCommand(references: readonly string[], printed: string): Command;
  tagCommand(from: string, to: string): Command;
  /** Writes an archive of the images to stdout. */
  saveCommand(references: readonly string[]): Command;
  /** The named images, from what `listCommand` prints. */
  parseList(printed: string): NodeImage[];
  /** What `importCommand` prints to stderr when something is not an image archive. */
  notAnArchive: RegExp;
};
