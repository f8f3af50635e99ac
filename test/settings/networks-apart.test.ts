import test from 'ava';
import { networksApart } from '#src/settings/networks-apart.js';
import { parseSettings, type SettingsInput } from '#src/settings/schema.js';

const host = (...cidrs: string[]) => cidrs.map((cidr) => ({ device: 'eth0', cidr }));
const moved = (chosen: SettingsInput, ...cidrs: string[]) =>
  Object.fromEntries(networksApart(chosen, host(...cidrs)).map(({ field, cidr }) => [field, cidr]));

test('the usual networks stay where the host reaches nothing in them', (t) => {
  t.deepEqual(moved({}, '192.0.2.0/24', '172.17.0.0/16'), {});
});

test('a network that the host reaches is kept clear of, and the others stay', (t) => {
  t.deepEqual(moved({}, '10.0.0.0/24'), { serviceCidr: '10.41.0.0/24' });
  t.deepEqual(moved({}, '10.88.0.0/16', '10.89.0.0/24'), {
    podCidr: '10.41.0.0/16',
    dockerCidr: '10.42.0.0/16',
  });
});

test('where all of 10.0.0.0/8 is taken there are others', (t) => {
  const { nodeSubnet, serviceCidr, podCidr, dockerCidr } = moved({}, '10.0.0.0/8');
  for (const cidr of [nodeSubnet, serviceCidr, podCidr, dockerCidr]) t.regex(cidr ?? '', /^172\./);
  t.notThrows(() => parseSettings({ nodeName: 'a', ...moved({}, '10.0.0.0/8') }));
});

test('what somebody has chosen is not moved, and is kept clear of', (t) => {
  t.deepEqual(moved({ serviceCidr: '10.0.0.0/24', podCidr: '10.41.0.0/16' }, '10.0.0.0/24', '10.89.0.0/16'), {
    dockerCidr: '10.42.0.0/16',
  });
});

test('the address of VirtualBox’s guests is no obstacle to other nodes', (t) => {
  const networks = moved({ hostIp: '10.0.2.15' });
  t.deepEqual(networks, { nodeSubnet: '10.41.2.0/24' });
  t.notThrows(() => parseSettings({ nodeName: 'a', hostIp: '10.0.2.15', ...networks }));
});
