/** The set of objects that the files of the folders have made. */
export const manifestSet = 'manifests';

/** A chart that was installed. */
export type Release = { name: string; namespace: string; from: string; fingerprint: string };

/** What the record of the set says besides its members. */
export type ManifestNote = {
  faults: { file: string; line?: number; message: string }[];
  releases: Release[];
};
