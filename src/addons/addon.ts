import type { ArtifactName } from '../artifacts/artifact.js';
import type { ResolvedArtifact } from '../artifacts/store/store.js';
import type { ImageSpec } from '../images/oci-layout.js';
import type { Architecture } from '../lib/architecture.js';
import type { AddonName } from '../settings/addon-names.js';

/** An add-on describes itself; its manifests are in config/addons/<name>. */
export type Addon = {
  name: AddonName;
  /** One sentence, without a capital letter at its start and a full stop at its end. */
  help: string;
  /** What it takes while it is enabled, in words. */
  costs: string;
  /** Of its own, removed with it. */
  namespace: string;
  /** Its Deployment in that namespace: the add-on is ready when it is available. */
  deployment: string;
  artifacts: readonly ArtifactName[];
  /** Made of one of its artifacts. */
  image: { artifact: ArtifactName; name: string; spec(inputs: ImageInputs): ImageSpec };
  /** How the manifests call the image. */
  imagePlaceholder: string;
  /** Definitions of kinds that it serves: file of an artifact's documents. */
  definitions: { artifact: ArtifactName; file: string };
};

export type ImageInputs = { architecture: Architecture; binary: string; version: string };

/** The artifacts that an add-on is made of. */
export type AddonArtifacts = ReadonlyMap<ArtifactName, ResolvedArtifact>;
