import type { ServiceDefinition } from '../supervisor/definition.js';
import { daemon, flags, liveness, pkiFile, type ServiceContext, startupMs } from './context.js';

export function etcd(context: ServiceContext): ServiceDefinition {
  const clientUrl = etcdUrl(context);
  const peerUrl = `https://127.0.0.1:${context.settings.etcdPort + 1}`;
  /** Plain HTTP on loopback: health and metrics only, no keys or values. */
  const metricsUrl = `http://127.0.0.1:${context.settings.etcdPort + 2}`;
  return daemon('etcd', {
    command: context.binary('etcd'),
    args: flags({
      name: 'etcd',
      'data-dir': context.etcdData,
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `etcd=${peerUrl}`,
      'listen-metrics-urls': metricsUrl,
      'tls-min-version': 'TLS1.3',
      'client-cert-auth': true,
      'trusted-ca-file': pkiFile(context, 'etcd-ca.crt'),
      'cert-file': pkiFile(context, 'etcd-server.crt'),
      'key-file': pkiFile(context, 'etcd-server.key'),
      'peer-client-cert-auth': true,
      'peer-trusted-ca-file': pkiFile(context, 'etcd-ca.crt'),
      'peer-cert-file': pkiFile(context, 'etcd-server.crt'),
      'peer-key-file': pkiFile(context, 'etcd-server.key'),
      // A single member elects itself, but only after a random part of the election timeout, which is a second by default.
      'heartbeat-interval': 20,
      'election-timeout': 100,
      'log-level': 'warn',
    }),
    ready: { type: 'http', url: `${metricsUrl}/readyz`, periodMs: 250, timeoutMs: 2_000, startupMs },
    live: { type: 'http', url: `${metricsUrl}/livez`, ...liveness },
  });
}

export const etcdUrl = ({ settings }: ServiceContext): string => `https://127.0.0.1:${settings.etcdPort}`;
