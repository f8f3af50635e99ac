import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, errnoOf } from '../lib/errors.js';
import { roleOf } from './role.js';
import type { Settings, SettingsInput } from './schema.js';

/** What a cluster is for as long as it has data, whatever else of its description changes from start to start. */
export type Remembered = Pick<Settings, 'preset' | 'runtime' | 'kubernetes' | 'artifactPaths'> & {
  settled: Settled;
};

/**
 * What others rely on, and so is as it was unless one says otherwise: where a control plane is found, and on a node that
 * has joined one all that it joined with.
 */
export type Settled = Partial<SettingsInput>;

const settledBy = {
  'control-plane': ['hostIp', 'nodeSubnet', 'apiPort', 'kubeletPort', 'flannelPort', 'etcdPort'],
  worker: [
    ...(['nodeName', 'controlPlane', 'hostIp', 'nodeSubnet', 'kubeletPort', 'flannelPort'] as const),
    ...(['podCidr', 'serviceCidr', 'dnsAddress', 'dnsDomain', 'mtu'] as const),
  ],
} as const satisfies Record<string, (keyof SettingsInput)[]>;

function settledOf(settings: Settings): Settled {
  const entries = settledBy[roleOf(settings)].map((field) => [field, settings[field]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Undefined for a cluster that has never been started, or has been reset. */
export async function readRemembered(file: string): Promise<Remembered | undefined> {
  try {
    return { settled: {}, ...(JSON.parse(await readFile(file, 'utf8')) as Omit<Remembered, 'settled'>) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new U7sError('todo', `what this cluster is cannot be read from ${file}`, {
      fixes: ['begin anew: u7s reset'],
      cause: error,
    });
  }
}

export async function remember(file: string, settings: Settings): Promise<void> {
  const { preset, runtime, kubernetes, artifactPaths } = settings;
  const remembered: Remembered = { preset, runtime, kubernetes, artifactPaths, settled: settledOf(settings) };
  await writeFileAtomic(file, `${JSON.stringify(remembered)}\n`);
}

/** Refuses to make another kind of cluster from the data of one: images and containers of one runtime are nothing to the next. */
export function refuseSwitch(
  settings: Settings,
  before: Pick<Remembered, 'preset' | 'runtime' | 'kubernetes'> | undefined,
): void {
  if (before === undefined) return;
  if (before.runtime === settings.runtime && before.kubernetes === settings.kubernetes) return;
  const [was, wanted] =
    before.preset === settings.preset ? [before.runtime, settings.runtime] : [before.preset, settings.preset];
  throw new U7sError(
    'todo',
    `cluster ${settings.name} was made as ${was}; with its data it cannot become ${wanted}`,
    {
      fixes: [
        `start another cluster beside it: ./run.sh --cluster NAME ${settings.preset}\nor give up its data: u7s reset`,
      ],
    },
  );
}
