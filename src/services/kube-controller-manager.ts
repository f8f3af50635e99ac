import type { AuthorityName } from '../pki/certificates.js';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import {
  daemon,
  flags,
  gateFlags,
  liveness,
  pkiFile,
  readiness,
  tlsMinVersion,
  type ServiceContext,
} from './context.js';

export function kubeControllerManager(context: ServiceContext): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'kube-controller-manager');
  return daemon('kube-controller-manager', {
    command: context.binary('kube-controller-manager'),
    args: flags({
      kubeconfig: kubeconfig.path,
      'authentication-kubeconfig': kubeconfig.path,
      'authorization-kubeconfig': kubeconfig.path,
      'bind-address': '127.0.0.1',
      'tls-min-version': tlsMinVersion,
      'tls-cert-file': pkiFile(context, 'kube-controller-manager-server.crt'),
      'tls-private-key-file': pkiFile(context, 'kube-controller-manager-server.key'),
      'client-ca-file': pkiFile(context, 'ca.crt'),
      'requestheader-client-ca-file': pkiFile(context, 'front-proxy-ca.crt'),
      'root-ca-file': pkiFile(context, 'ca.crt'),
      ...signingFlags(context),
      'service-account-private-key-file': pkiFile(context, 'sa.key'),
      'use-service-account-credentials': true,
      controllers: '*,bootstrapsigner,tokencleaner',
      ...(context.settings.severalNodes
        ? { 'allocate-node-cidrs': true, 'cluster-cidr': context.settings.podCidr }
        : {}),
      'leader-elect': false,
      // Each controller gets its own service account and token in turn: the default client throttle makes that take
      // seconds on a new cluster, and no pod is admitted before it is done.
      'kube-api-qps': 500,
      'kube-api-burst': 1000,
      // Finished pods beyond so many are deleted; the default of 12,500 is for clusters of thousands of nodes.
      'terminated-pod-gc-threshold': 1000,
      ...gateFlags(context),
      profiling: false,
    }),
    files: [kubeconfig],
    // It exits at once if it starts before the API server has made the RBAC roles.
    dependsOn: { 'kube-apiserver': 'ready' },
    ready: {
      type: 'http',
      url: 'https://127.0.0.1:10257/healthz',
      caFile: pkiFile(context, 'ca.crt'),
      ...readiness,
    },
    live: {
      type: 'http',
      url: 'https://127.0.0.1:10257/healthz',
      caFile: pkiFile(context, 'ca.crt'),
      ...liveness,
    },
  });
}

/** The authority of each signer. Only clients are certified by that of the API, so that nobody can pass for its server. */
const signers = {
  'kube-apiserver-client': 'ca',
  'kubelet-client': 'ca',
  'kubelet-serving': 'kubelet-ca',
} satisfies Record<string, AuthorityName>;

/** What cannot be taken back ends: eight weeks. Nodes renew their certificates after half of that. */
const signedFor = `${8 * 7 * 24}h`;

function signingFlags(context: ServiceContext): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(signers).flatMap(([signer, authority]) => [
      [`cluster-signing-${signer}-cert-file`, pkiFile(context, `${authority}.crt`)],
      [`cluster-signing-${signer}-key-file`, pkiFile(context, `${authority}.key`)],
    ]),
    ['cluster-signing-duration', signedFor],
  ]) as Record<string, string>;
}
