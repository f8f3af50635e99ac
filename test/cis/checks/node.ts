import { check, notApplicable, passIf, type Check } from '../check.js';
import type { RunningCluster } from '../cluster.js';
import { privateTo, strong } from './control-plane.js';

type Config = Record<string, unknown>;
const at = (config: Config, ...keys: string[]): unknown =>
  keys.reduce<unknown>((value, key) => (value as Config | undefined)?.[key], config);
const kubelet =
  (value: unknown, ...keys: string[]) =>
  (cluster: RunningCluster) => {
    const found = at(cluster.kubelet, ...keys);
    return passIf(found === value, `${keys.join('.')} is ${String(found)}`);
  };
const configured = (component: string, flag: string, most: number) => (cluster: RunningCluster) =>
  privateTo(cluster, cluster.flagsOf(component)[flag] ?? '', most);
const proxyConfig = (cluster: RunningCluster) => cluster.json(cluster.flagsOf('kube-proxy')['config'] ?? '');
const noUnit = notApplicable('the kubelet has no unit of systemd; the supervisor starts it');
const ofProxy = async (cluster: RunningCluster) =>
  privateTo(cluster, String(at(await proxyConfig(cluster), 'clientConnection', 'kubeconfig')), 0o600);
const authority = (cluster: RunningCluster) =>
  privateTo(cluster, String(at(cluster.kubelet, 'authentication', 'x509', 'clientCAFile')), 0o644);

export const node: readonly Check[] = [
  check('4.1.1', 'mode of the kubelet’s unit', noUnit),
  check('4.1.2', 'owner of the kubelet’s unit', noUnit),
  check('4.1.3', 'kubeconfig of kube-proxy is the owner’s alone', ofProxy),
  check('4.1.4', 'and belongs to the owner', ofProxy),
  check(
    '4.1.5',
    'kubeconfig of the kubelet is the owner’s alone',
    configured('kubelet', 'kubeconfig', 0o600),
  ),
  check('4.1.6', 'and belongs to the owner', configured('kubelet', 'kubeconfig', 0o600)),
  check('4.1.7', 'the authority of clients is written by the owner alone', authority),
  check('4.1.8', 'and belongs to the owner', authority),
  check('4.1.9', 'the kubelet’s configuration is the owner’s alone', configured('kubelet', 'config', 0o600)),
  check('4.1.10', 'and belongs to the owner', configured('kubelet', 'config', 0o600)),
  check('4.2.1', 'nobody is served without a name', kubelet(false, 'authentication', 'anonymous', 'enabled')),
  check('4.2.2', 'the API server authorizes', kubelet('Webhook', 'authorization', 'mode')),
  check('4.2.3', 'an authority for clients', (cluster) =>
    passIf(Boolean(at(cluster.kubelet, 'authentication', 'x509', 'clientCAFile'))),
  ),
  check('4.2.4', 'no read-only port', (cluster) => passIf(!at(cluster.kubelet, 'readOnlyPort'))),
  check('4.2.5', 'idle streams end', (cluster) =>
    passIf(at(cluster.kubelet, 'streamingConnectionIdleTimeout') !== '0s'),
  ),
  check('4.2.6', 'the kubelet keeps its iptables chains', kubelet(true, 'makeIPTablesUtilChains')),
  check(
    '4.2.7',
    'the node is called as its host',
    notApplicable(
      'several nodes can be on one host, so each has the name of the settings, for which its certificates are made',
    ),
  ),
  check('4.2.8', 'Events are not lost', (cluster) =>
    passIf(Number(at(cluster.kubelet, 'eventRecordQPS')) > 0),
  ),
  check('4.2.9', 'a certificate of its own', (cluster) =>
    passIf(Boolean(at(cluster.kubelet, 'tlsCertFile')) && Boolean(at(cluster.kubelet, 'tlsPrivateKeyFile'))),
  ),
  check(
    '4.2.10',
    'the client certificate is renewed',
    notApplicable(
      'Usernetes renews it; rotateCertificates is for certificates that the kubelet asked for by itself',
    ),
  ),
  check('4.2.11', 'so is the server certificate', notApplicable('the same holds for serverTLSBootstrap')),
  check('4.2.12', 'strong ciphers only', ({ tls }) => strong(tls('kubelet'))),
  check('4.2.13', 'a pod has a limit of processes', (cluster) => {
    if (Number(at(cluster.kubelet, 'podPidsLimit')) > 0) return { status: 'pass' };
    return at(cluster.kubelet, 'cgroupsPerQOS') === false
      ? {
          status: 'not applicable',
          reason: 'this node has no cgroups of its own, without which nothing can be limited',
        }
      : { status: 'fail' };
  }),
  check('4.2.14', 'pods have a seccomp profile', kubelet(true, 'seccompDefault')),
  check('4.3.1', 'kube-proxy’s metrics are on loopback', async (cluster) => {
    const { metricsBindAddress: address } = await proxyConfig(cluster);
    return passIf(typeof address === 'string' && address.startsWith('127.'));
  }),
];
