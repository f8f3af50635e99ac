import type { NetworkInterfaceInfo } from 'node:os';
import test from 'ava';
import { ownAddress } from '#src/host/own-address.js';

const ipv4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: '255.255.255.0',
  mac: '02:00:00:00:00:01',
  family: 'IPv4',
  internal,
  cidr: `${address}/24`,
});

const ipv6: NetworkInterfaceInfo = {
  address: 'fd00::5',
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '02:00:00:00:00:01',
  family: 'IPv6',
  internal: false,
  cidr: 'fd00::5/64',
  scopeid: 0,
};

test('the first IPv4 address that is not loopback', (t) => {
  const interfaces = {
    lo: [ipv4('127.0.0.1', true)],
    eth0: [ipv6, ipv4('192.0.2.5')],
    eth1: [ipv4('192.0.2.6')],
  };
  t.is(ownAddress(interfaces), '192.0.2.5');
});

test('none on a host that has only loopback', (t) => {
  t.is(ownAddress({ lo: [ipv4('127.0.0.1', true)] }), undefined);
});
