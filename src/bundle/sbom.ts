import { createHash } from 'node:crypto';
import type { GoBuildInfo } from './go-build-info.js';

export type BundledProgram = {
  artifact: string;
  version: string;
  program: string;
  sha256: string;
  /** Of a Go program. */
  info?: GoBuildInfo;
};
export type BundledPackage = { name: string; version: string; licence?: string };
export type BundledLibrary = { name: string; version: string; sha256: string };

export type BillInputs = {
  version: string;
  arch: string;
  node: { version: string; sha256: string };
  packages: readonly BundledPackage[];
  programs: readonly BundledProgram[];
  /** The host's own, that came along with its programs. */
  libraries: readonly BundledLibrary[];
};

type Component = {
  type: 'application' | 'library' | 'platform';
  'bom-ref': string;
  name: string;
  version: string;
  purl?: string;
  hashes?: { alg: 'SHA-256'; content: string }[];
  licenses?: { expression: string }[];
};

/** What is in a bundle, as CycloneDX has it. Without a time: equal bundles have equal bills. */
export function billOfMaterials(inputs: BillInputs): string {
  const { version, arch, node } = inputs;
  const components = new Map<string, Component>();
  const dependencies = new Map<string, Set<string>>();
  const add = (component: Component): string => {
    const ref = component['bom-ref'];
    if (!components.has(ref)) components.set(ref, component);
    return ref;
  };
  const root = `usernetes@${version}`;
  const parts: string[] = [add(platform('node', node.version, node.sha256))];
  for (const { name, version: own, licence } of inputs.packages) {
    const purl = `pkg:npm/${name.replace('@', '%40')}@${own}`;
    const licenses = licence === undefined ? {} : { licenses: [{ expression: licence }] };
    parts.push(add({ type: 'library', 'bom-ref': purl, name, version: own, purl, ...licenses }));
  }
  for (const library of inputs.libraries)
    parts.push(add({ ...platform(library.name, library.version, library.sha256), type: 'library' }));
  for (const program of inputs.programs) {
    const ref = add({
      type: 'application',
      'bom-ref': `${program.artifact}/${program.program}@${program.version}`,
      name: program.program,
      version: program.version,
      hashes: [{ alg: 'SHA-256', content: program.sha256 }],
    });
    parts.push(ref);
    const linked = dependencies.get(ref) ?? new Set();
    for (const module of goComponents(program.info)) linked.add(add(module));
    dependencies.set(ref, linked);
  }
  dependencies.set(root, new Set(parts));
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': root, name: 'usernetes', version },
      properties: [{ name: 'usernetes:architecture', value: arch }],
    },
    components: [...components.values()],
    dependencies: [...dependencies].map(([ref, on]) => ({ ref, dependsOn: [...on].sort() })),
  };
  const { $schema, bomFormat, specVersion, ...rest } = bill;
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(rest))}`;
  return `${JSON.stringify({ $schema, bomFormat, specVersion, serialNumber, ...rest }, null, 1)}\n`;
}

function platform(name: string, version: string, sha256: string): Component {
  return {
    type: 'platform',
    'bom-ref': `${name}@${version}`,
    name,
    version,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
  };
}

function goComponents(info: GoBuildInfo | undefined): Component[] {
  if (info === undefined) return [];
  const { goVersion, main, modules } = info;
  const standard = { path: 'std', version: goVersion.split(' ')[0]?.replace('go', '') ?? '' };
  const all = [standard, ...(main === undefined || main.version === '' ? [] : [main]), ...modules];
  return all.map(({ path, version }) => {
    const purl = `pkg:golang/${path}@${version}`;
    return { type: 'library', 'bom-ref': purl, name: path, version, purl };
  });
}

/** Of the content, in the form of a version 8 UUID: its own bits are free. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
