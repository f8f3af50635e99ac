export type Command = { command: string; args: string[] };

export type NodeImage = { reference: string; digest: string; size: string };

/** How images get into a container runtime, by programs that are run in the node's namespaces. */
export type ImageStore = {
  /** Takes in every image of an archive; `-` reads it from stdin. */
  importCommand(archive: string): Command;
  listCommand(): Command;
  /** The named images, from what `listCommand` prints. */
  parseList(printed: string): NodeImage[];
  /** What `importCommand` says on stderr of something that is no image archive. */
  notAnArchive: RegExp;
};
