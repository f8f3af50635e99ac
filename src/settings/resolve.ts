import { join } from 'node:path';
import { readDescription } from './description.js';
import { mergeComponents } from './components.js';
import { fromEnvironment, type Environment } from './environment.js';
import type { HostNetwork } from '../host/routes.js';
import { networksApart, type MovedNetwork } from './networks-apart.js';
import { fromFlags, type Flags } from './flags.js';
import { loadPreset } from './presets.js';
import { layerOf, type Remembered } from './remembered.js';
import { hasSeveralNodes } from './role.js';
import { parseSettings, type Settings, type SettingsInput } from './schema.js';
import { settingEntries, type PortField } from './table.js';

/** Everything that settings are made from. */
export type Sources = {
  /** What `--cluster` names. */
  instance?: string;
  preset: string;
  /** Folder of this installation: config/presets. */
  projectRoot: string;
  env: Environment;
  /** The options of the verb: settings, `--port-base` and `--config` count, others are ignored. */
  flags?: Flags;
  /** What an earlier start has settled. */
  remembered?: Remembered | undefined;
  /** Replaces a default until something else is requested. */
  suggested?: Partial<SettingsInput>;
  /** What the control plane decides that this node is about to join. */
  given?: Partial<SettingsInput>;
  /** Networks of the host that those of a new instance keep clear of, and who hears what was moved. */
  avoid?: { networks: readonly HostNetwork[]; tell: (moved: MovedNetwork) => void } | undefined;
  /** Finds a free port for one that nobody has named. Without this function the default applies. */
  freePort?: (field: PortField, address: string) => Promise<number>;
};

/** The settings of an instance: flags over environment over file over what is remembered over preset over defaults. */
export async function resolveSettings(sources: Sources): Promise<Settings> {
  const {
    instance,
    preset,
    projectRoot,
    env,
    flags = {},
    remembered,
    suggested,
    given,
    freePort,
    avoid,
  } = sources;
  const config = flags['config'];
  const layers = [
    await loadPreset(join(projectRoot, 'config/presets'), preset),
    suggested ?? {},
    layerOf(remembered),
    typeof config === 'string' ? await readDescription(config) : {},
    fromEnvironment(env),
    fromFlags(flags),
    given ?? {},
    { preset, ...(instance === undefined ? {} : { name: instance }) },
  ];
  const chosen = over(layers);
  const free = freePort === undefined ? {} : await freePorts(chosen, freePort);
  const apart = avoid === undefined ? [] : networksApart(chosen, avoid.networks);
  for (const moved of apart) avoid?.tell(moved);
  const networks = Object.fromEntries(apart.map(({ field, cidr }) => [field, cidr]));
  return parseSettings({ ...free, ...networks, ...chosen });
}

/** Later layers count for more. */
function over(layers: readonly Partial<SettingsInput>[]): Partial<SettingsInput> {
  const merged = settingEntries.flatMap(([name, setting]) =>
    setting.merged
      ? [[name, Object.assign({}, ...layers.map((layer) => layer[name])) as object] as const]
      : [],
  );
  const all = Object.assign({}, ...layers) as Partial<SettingsInput>;
  const components = mergeComponents(layers.map((layer) => layer.components));
  return { ...all, ...Object.fromEntries(merged), ...(all.components === undefined ? {} : { components }) };
}

async function freePorts(
  chosen: Partial<SettingsInput>,
  freePort: NonNullable<Sources['freePort']>,
): Promise<Partial<SettingsInput>> {
  const { hostIp, listenAddress = hostIp, controlPlane } = chosen;
  const { apiAddress = listenAddress ?? '127.0.0.1' } = chosen;
  const forNodes = hasSeveralNodes(chosen) ? listenAddress : undefined;
  const places: [PortField, string | undefined][] = [
    ['apiPort', controlPlane === undefined ? apiAddress : undefined],
    ['kubeletPort', forNodes],
    ['flannelPort', forNodes],
  ];
  const found = places.map(async ([field, address]) =>
    address === undefined || chosen[field] !== undefined ? [] : [[field, await freePort(field, address)]],
  );
  return Object.fromEntries((await Promise.all(found)).flat()) as Partial<SettingsInput>;
}
