import test from 'ava';
import { parseSettings } from '#src/settings/schema.js';
import { parseShared, sharedSettings } from '#src/settings/shared.js';

const told = {
  podCidr: '10.5.0.0/16',
  serviceCidr: '10.0.0.0/24',
  dnsAddress: '10.0.0.53',
  dnsDomain: 'cluster.local',
  flannelPort: 8472,
  mtu: 65520,
  without: [],
};

test('nodes that join are told what all must have alike, and nothing else', (t) => {
  t.deepEqual(sharedSettings(parseSettings({ hostIp: '192.0.2.10' })), told);
});

test('a control plane that does not know a setting yet has its default', (t) => {
  const { without, ...known } = told;
  t.deepEqual(parseShared(known), { ...known, without });
});

test('what they are told is checked; what they do not know of is left out', (t) => {
  t.deepEqual(parseShared({ ...told, later: true }), told);
  const { without, ...fromBefore } = told;
  t.deepEqual(parseShared(fromBefore), { ...fromBefore, without });
  t.throws(() => parseShared({ ...told, flannelPort: 'x' }));
});
