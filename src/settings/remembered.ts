import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, errnoOf } from '../lib/errors.js';
import { roleOf } from './role.js';
import type { ClusterSpec, ClusterSpecInput } from './spec.js';

/** What a cluster is for as long as it has data, whatever else of its description changes from start to start. */
export type Identity = Pick<ClusterSpec, 'preset' | 'runtime' | 'kubernetes' | 'artifactPaths'> & {
  settled: Settled;
};

/**
 * What others rely on, and so is as it was unless one says otherwise: where a control plane is found, and on a node that
 * has joined one all that it joined with.
 */
export type Settled = Partial<ClusterSpecInput>;

const settledBy = {
  'control-plane': ['hostIp', 'nodeSubnet', 'apiPort', 'kubeletPort', 'flannelPort', 'etcdPort'],
  worker: [
    ...(['nodeName', 'controlPlane', 'hostIp', 'nodeSubnet', 'kubeletPort', 'flannelPort'] as const),
    ...(['podCidr', 'serviceCidr', 'dnsAddress', 'dnsDomain', 'mtu'] as const),
  ],
} as const satisfies Record<string, (keyof ClusterSpecInput)[]>;

function settledOf(spec: ClusterSpec): Settled {
  const entries = settledBy[roleOf(spec)].map((field) => [field, spec[field]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Undefined for a cluster that has never been started, or has been reset. */
export async function readIdentity(file: string): Promise<Identity | undefined> {
  try {
    return { settled: {}, ...(JSON.parse(await readFile(file, 'utf8')) as Omit<Identity, 'settled'>) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new U7sError('todo', `what this cluster is cannot be read from ${file}`, {
      fixes: ['begin anew: u7s reset'],
      cause: error,
    });
  }
}

export async function writeIdentity(file: string, spec: ClusterSpec): Promise<void> {
  const { preset, runtime, kubernetes, artifactPaths } = spec;
  const identity: Identity = { preset, runtime, kubernetes, artifactPaths, settled: settledOf(spec) };
  await writeFileAtomic(file, `${JSON.stringify(identity)}\n`);
}

/** Refuses to make another kind of cluster from the data of one: images and containers of one runtime are nothing to the next. */
export function refuseSwitch(
  spec: ClusterSpec,
  before: Pick<Identity, 'preset' | 'runtime' | 'kubernetes'> | undefined,
): void {
  if (before === undefined) return;
  if (before.runtime === spec.runtime && before.kubernetes === spec.kubernetes) return;
  const [was, wanted] =
    before.preset === spec.preset ? [before.runtime, spec.runtime] : [before.preset, spec.preset];
  throw new U7sError(
    'todo',
    `cluster ${spec.name} was made as ${was}; with its data it cannot become ${wanted}`,
    {
      fixes: [
        `start another cluster beside it: ./run.sh --cluster NAME ${spec.preset}\nor give up its data: u7s reset`,
      ],
    },
  );
}
