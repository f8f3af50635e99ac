import type { ServiceDefinition } from '../supervisor/definition.js';
import { admissionConfiguration, eventRateLimit, podSecurity } from './admission.js';
import { audit } from './audit.js';
import {
  daemon,
  etcFile,
  flags,
  gateFlags,
  jsonFile,
  liveness,
  pkiFile,
  type ServiceContext,
  startupMs,
  tlsMinVersion,
} from './context.js';
import { etcdUrl } from './etcd.js';

function servedApis({ settings: { runtimeConfig } }: ServiceContext): Record<string, string> {
  const words = Object.entries(runtimeConfig).map(([name, on]) => `${name}=${on}`);
  return words.length === 0 ? {} : { 'runtime-config': words.join(',') };
}

export function kubeApiserver(context: ServiceContext): ServiceDefinition {
  const authentication = etcFile(context, 'authentication.json');
  const admission = etcFile(context, 'admission.json');
  const recorded = audit(context);
  const { port, url } = {
    port: context.settings.apiPort,
    url: `https://127.0.0.1:${context.settings.apiPort}`,
  };
  return daemon('kube-apiserver', {
    command: context.binary('kube-apiserver'),
    args: flags({
      'advertise-address': context.nodeAddress,
      'bind-address': '0.0.0.0',
      'secure-port': port,
      'tls-min-version': tlsMinVersion,
      'tls-cert-file': pkiFile(context, 'kube-apiserver.crt'),
      'tls-private-key-file': pkiFile(context, 'kube-apiserver.key'),
      'client-ca-file': pkiFile(context, 'ca.crt'),
      'authentication-config': authentication,
      'authorization-mode': 'Node,RBAC',
      'enable-admission-plugins': admissionPlugins(context).join(','),
      'admission-control-config-file': admission,
      'allow-privileged': true,
      'etcd-servers': etcdUrl(context),
      'etcd-cafile': pkiFile(context, 'etcd-ca.crt'),
      'etcd-certfile': pkiFile(context, 'kube-apiserver-etcd-client.crt'),
      'etcd-keyfile': pkiFile(context, 'kube-apiserver-etcd-client.key'),
      'encryption-provider-config': pkiFile(context, 'encryption-config.yaml'),
      'kubelet-certificate-authority': pkiFile(context, 'kubelet-ca.crt'),
      'kubelet-client-certificate': pkiFile(context, 'kube-apiserver-kubelet-client.crt'),
      'kubelet-client-key': pkiFile(context, 'kube-apiserver-kubelet-client.key'),
      // The node's name resolves nowhere, so logs and exec must go by address.
      'kubelet-preferred-address-types': 'InternalIP',
      'service-account-issuer': `https://kubernetes.default.svc.${context.settings.dnsDomain}`,
      'service-account-key-file': pkiFile(context, 'sa.pub'),
      'service-account-signing-key-file': pkiFile(context, 'sa.key'),
      // Else a token that a pod asked for an hour is good for a year.
      'service-account-extend-token-expiration': false,
      'service-cluster-ip-range': context.settings.serviceCidr,
      'requestheader-client-ca-file': pkiFile(context, 'front-proxy-ca.crt'),
      'requestheader-allowed-names': 'front-proxy-client',
      'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
      'requestheader-group-headers': 'X-Remote-Group',
      'requestheader-username-headers': 'X-Remote-User',
      'proxy-client-cert-file': pkiFile(context, 'front-proxy-client.crt'),
      'proxy-client-key-file': pkiFile(context, 'front-proxy-client.key'),
      ...(context.settings.severalNodes ? { 'enable-bootstrap-token-auth': true } : {}),
      ...recorded.flags,
      ...gateFlags(context),
      ...servedApis(context),
      profiling: false,
      // Ends the watches of pods, such as CoreDNS's, at a stop; otherwise it waits until the clients end them.
      'shutdown-watch-termination-grace-period': '1s',
    }),
    files: [
      jsonFile(authentication, anonymousForHealthOnly),
      jsonFile(
        admission,
        admissionConfiguration([podSecurity(context.settings.podSecurity), eventRateLimit]),
      ),
      ...recorded.files,
    ],
    // Started together with etcd: its own first second is spent before it needs the store, and it retries the connection.
    dependsOn: { etcd: 'started' },
    // Its port is open long before it serves: a client that connects waits, but loses no attempt.
    reachable: {
      type: 'tcp',
      host: '127.0.0.1',
      port,
      periodMs: 100,
      timeoutMs: 2_000,
      startupMs,
    },
    ready: {
      type: 'http',
      url: `${url}/readyz`,
      caFile: pkiFile(context, 'ca.crt'),
      periodMs: 100,
      timeoutMs: 5_000,
      startupMs,
    },
    // A restart would not help if etcd does not answer.
    live: {
      type: 'http',
      url: `${url}/livez?exclude=etcd`,
      caFile: pkiFile(context, 'ca.crt'),
      ...liveness,
    },
  });
}

/** In addition to those that are on by default. */
function admissionPlugins({ settings }: ServiceContext): string[] {
  // Whoever may create Services could otherwise take over what other pods send to any address (CVE-2020-8554).
  const ofServices = settings.externalIps === 'denied' ? ['DenyServiceExternalIPs'] : [];
  return ['NodeRestriction', eventRateLimit.name, ...ofServices];
}

const anonymousForHealthOnly = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  anonymous: {
    enabled: true,
    conditions: ['/livez', '/readyz', '/healthz'].map((path) => ({ path })),
  },
};
