/** The configuration of one admission plugin of the API server. */
export type AdmissionPlugin = { name: string; configuration: object };

/** The file of `--admission-control-config-file`. A plugin that is not in it has its defaults. */
export function admissionConfiguration(plugins: readonly AdmissionPlugin[]): object {
  return { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins };
}

/**
 * What pods must meet where a namespace has no label that says otherwise. kube-system is exempt: what the node consists of
 * runs there.
 */
export function podSecurity(level: 'privileged' | 'baseline' | 'restricted'): AdmissionPlugin {
  const modes = ['enforce', 'audit', 'warn'].flatMap((mode) => [
    [mode, level],
    [`${mode}-version`, 'latest'],
  ]);
  return {
    name: 'PodSecurity',
    configuration: {
      apiVersion: 'pod-security.admission.config.k8s.io/v1',
      kind: 'PodSecurityConfiguration',
      defaults: Object.fromEntries(modes) as Record<string, string>,
      exemptions: { usernames: [], runtimeClasses: [], namespaces: ['kube-system'] },
    },
  };
}

/**
 * Whoever can write Events could fill the store with them. A client that is refused tries again a second later, so an honest
 * burst is only delayed: a node that starts all of its 110 pods writes some 600.
 */
export const eventRateLimit: AdmissionPlugin = {
  name: 'EventRateLimit',
  configuration: {
    apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
    kind: 'Configuration',
    limits: [
      { type: 'Namespace', qps: 50, burst: 1000 },
      { type: 'User', qps: 50, burst: 1000 },
    ],
  },
};
