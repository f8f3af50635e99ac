import { removeUnit, userUnit, type UserUnit } from '../host/systemd.js';
import { instanceName } from '../settings/paths.js';
import type { InstanceContext } from './context.js';

/** Stops and removes the unit of `install`; the data stays. `removed` is false where there was none. */
export async function uninstall({
  env,
  name,
  paths,
}: InstanceContext): Promise<UserUnit & { removed: boolean }> {
  const unit = userUnit(instanceName(name), paths.configHome);
  return { ...unit, removed: await removeUnit(unit, env) };
}
