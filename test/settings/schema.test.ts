import test from 'ava';
import { parseSettings } from '#src/settings/schema.js';
import { formatFix } from '#src/lib/fixes.js';
import type { UsageError } from '#src/lib/errors.js';

const wrong: Record<string, [given: object, message: RegExp, fix?: RegExp]> = {
  'an unknown field, with the near one': [
    { podCIDR: '10.1.0.0/16' },
    /there is no field podCIDR/,
    /did you mean podCidr\? Known: name, /,
  ],
  'what is no network': [{ podCidr: 'banana' }, /podCidr: must be an IPv4 network such as 10\.88\.0\.0\/16/],
  'an address in place of a network': [
    { podCidr: '10.88.0.7/16' },
    /podCidr: 10\.88\.0\.7\/16 is an address in a network: write 10\.88\.0\.0\/16/,
  ],
  'pods in the network of Services': [
    { podCidr: '10.0.0.0/16', serviceCidr: '10.0.128.0/24' },
    /podCidr: 10\.0\.0\.0\/16 overlaps with serviceCidr 10\.0\.128\.0\/24/,
  ],
  "Services in the node's own network": [
    { serviceCidr: '10.0.0.0/16' },
    /serviceCidr: 10\.0\.0\.0\/16 overlaps with 10\.0\.2\.0\/24, the node's own network/,
  ],
  'a network of Services larger than the API server takes': [
    { serviceCidr: '172.0.0.0/8' },
    /serviceCidr: 172\.0\.0\.0\/8 must be between \/12 and \/28/,
  ],
  'DNS outside the network of Services': [
    { serviceCidr: '10.96.0.0/16', dnsAddress: '10.0.0.53' },
    /dnsAddress: 10\.0\.0\.53 is not in serviceCidr 10\.96\.0\.0\/16/,
  ],
  "DNS at the API's own address": [
    { dnsAddress: '10.0.0.1' },
    /dnsAddress: 10\.0\.0\.1 has another use: take another of 10\.0\.0\.0\/24/,
  ],
  'a domain that is no DNS name': [{ dnsDomain: 'Cluster Local' }, /dnsDomain: must be a DNS name/],
  'a host in a network of its own': [
    { hostIp: '10.5.0.9' },
    /hostIp: 10\.5\.0\.9 is in 10\.5\.0\.0\/16, a network of the cluster's own/,
  ],
  'a network of pods too small for several nodes': [
    { hostIp: '192.0.2.10', podCidr: '10.5.0.0/24' },
    /podCidr: 10\.5\.0\.0\/24 must be between \/8 and \/23/,
  ],
  'a network of the node too small for slirp4netns': [
    { nodeSubnet: '10.100.1.0/26' },
    /nodeSubnet: 10\.100\.1\.0\/26 must be between \/8 and \/25/,
  ],
  'two faults at once': [{ nodeName: 'A', mtu: 1 }, /nodeName: .*; mtu: /],
};

for (const [what, [given, message, fix]] of Object.entries(wrong)) {
  test(`the description of a cluster may not have ${what}`, (t) => {
    const error = t.throws<UsageError>(() => parseSettings({ nodeName: 'u7s-host', ...given }), {
      message,
    });
    t.regex(formatFix(error.fixes[0] ?? '', undefined), fix ?? /correct it/);
    t.is(error.code, what.startsWith('an unknown field') ? 'no-such-setting' : 'setting-invalid');
  });
}

test('a node with an address for others has a network that can be divided, and is published there', (t) => {
  const { podCidr, apiAddress, publishAddress } = parseSettings({ nodeName: 'a', hostIp: '192.0.2.10' });
  t.is(podCidr, '10.5.0.0/16');
  t.is(apiAddress, '192.0.2.10');
  t.is(publishAddress, '192.0.2.10');
  const alone = parseSettings({ nodeName: 'a' });
  t.is(alone.podCidr, '10.88.0.0/16');
  t.is(alone.apiAddress, '127.0.0.1');
});

test('DNS has number 53 of the network of Services unless told otherwise, 10 in a small one', (t) => {
  const dnsAddress = (serviceCidr: string): string =>
    parseSettings({ nodeName: 'u7s-host', serviceCidr }).dnsAddress;
  t.is(dnsAddress('10.0.0.0/24'), '10.0.0.53');
  t.is(dnsAddress('10.96.0.0/12'), '10.96.0.53');
  t.is(dnsAddress('10.0.9.16/28'), '10.0.9.26');
});

test('other nodes can be part of the cluster where they reach this host', (t) => {
  t.false(parseSettings({}).severalNodes);
  t.true(parseSettings({ hostIp: '192.0.2.10' }).severalNodes);
});

test('a node is named after its host unless told otherwise', (t) => {
  t.regex(parseSettings({}).nodeName, /^u7s/);
});
