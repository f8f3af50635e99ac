import test from 'ava';
import { shadowed } from '#src/settings/networks.js';

const networks = {
  podCidr: '10.88.0.0/16',
  serviceCidr: '10.0.0.0/24',
  dockerCidr: '10.89.0.0/16',
  nodeSubnet: '10.0.2.0/24',
};

test('a network of the host that one of the cluster covers is told, with what to change', (t) => {
  const vpn = { device: 'tun0', cidr: '10.88.7.0/24' };
  const [warning, ...more] = shadowed(networks, ['podCidr', 'nodeSubnet'], [vpn]);
  t.deepEqual(more, []);
  t.is(warning?.code, 'network-shadowed');
  t.regex(warning?.text ?? '', /10\.88\.7\.0\/24, which the host reaches by tun0: podCidr 10\.88\.0\.0\/16/);
  t.deepEqual(warning?.fixes, [
    'if they need that network, set another podCidr in a description: --config FILE',
  ]);
});

test('networks that the cluster does not use cover nothing, nor do those beside the host’s', (t) => {
  const lan = { device: 'eth0', cidr: '192.168.1.0/24' };
  const other = { device: 'docker0', cidr: '10.89.0.0/24' };
  t.deepEqual(shadowed(networks, ['podCidr', 'serviceCidr', 'nodeSubnet'], [lan, other]), []);
});
