import test from 'ava';
import { hostNetworks } from '#src/host/routes.js';

test('networks with a route are known, the default route is none', async (t) => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'tun0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FEFF\t0\t0\t0',
    '',
  ].join('\n');
  t.deepEqual(await hostNetworks({ read: () => Promise.resolve(table) }), [
    { device: 'eth0', cidr: '192.168.1.0/24' },
    { device: 'tun0', cidr: '10.88.0.0/15' },
  ]);
  t.deepEqual(await hostNetworks({ read: () => Promise.resolve(undefined) }), []);
});
