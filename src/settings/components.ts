import type { Zod } from './entry.js';

/** What of a node takes arguments of one's own; by the name in a description, the service. */
export const componentServices = {
  kubeApiserver: 'kube-apiserver',
  kubeControllerManager: 'kube-controller-manager',
  kubeScheduler: 'kube-scheduler',
  kubelet: 'kubelet',
  kubeProxy: 'kube-proxy',
  etcd: 'etcd',
} as const;
export type ComponentName = keyof typeof componentServices;
export const componentNames = Object.keys(componentServices) as [ComponentName, ...ComponentName[]];

export type ArgValue = string | number | boolean | string[];
export type Component = {
  args?: Record<string, ArgValue> | undefined;
  config?: Record<string, unknown> | undefined;
};
export type Components = { [Name in ComponentName]?: Component };

export const argFlagOf = (name: ComponentName): string => `--${componentServices[name]}-arg <name=value>`;

const argName = /^[a-z0-9][-a-z0-9.]*$/;

export function components(z: Zod) {
  const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
  const component = z.strictObject({
    args: z.record(z.string().regex(argName, 'name an argument without its dashes'), value).optional(),
    config: z.record(z.string(), z.unknown()).optional(),
  });
  return z.partialRecord(z.enum(componentNames), component);
}

/** `max-pods=50` or `--max-pods=50`, as a map of one; undefined for what is none. */
export function readArg(text: string): Record<string, string> | undefined {
  const [, name, value] = /^(?:--)?([a-z0-9][-a-z0-9.]*)=(.*)$/s.exec(text) ?? [];
  return name === undefined ? undefined : { [name]: value ?? '' };
}

/** Each source adds its arguments and fields to those of the sources before it. */
export function mergeComponents(
  layers: readonly (Partial<Record<ComponentName, Component | undefined>> | undefined)[],
): Components {
  const merged: Components = {};
  for (const layer of layers) {
    for (const [name, { args, config } = {}] of Object.entries(layer ?? {}) as [ComponentName, Component][]) {
      const before = merged[name];
      merged[name] = {
        ...(args || before?.args ? { args: { ...before?.args, ...args } } : {}),
        ...(config || before?.config ? { config: { ...before?.config, ...config } } : {}),
      };
    }
  }
  return merged;
}
