import test from 'ava';
import { u7s } from '#src/lib/fixes.js';
import type { U7sError } from '#src/lib/errors.js';
import { refuseChange } from '#src/settings/fixed.js';
import { memoryOf, type Remembered } from '#src/settings/remembered.js';
import { parseSettings, type SettingsInput } from '#src/settings/schema.js';

const alone: SettingsInput = { nodeName: 'a', preset: 'default-containerd' };
const several: SettingsInput = { ...alone, hostIp: '192.0.2.10' };
const worker: SettingsInput = { ...alone, hostIp: '192.0.2.11', controlPlane: 'https://192.0.2.10:6443' };

/** Starts an instance as `first`, then as `first` with `change`. */
const again = (first: SettingsInput, change: SettingsInput): void =>
  refuseChange(parseSettings({ ...first, ...change }), memoryOf(parseSettings(first)));

const fixed: Record<string, [first: SettingsInput, change: SettingsInput]> = {
  'the network of Services': [alone, { serviceCidr: '10.96.0.0/16', dnsAddress: '10.96.0.10' }],
  'the address of the DNS': [alone, { dnsAddress: '10.0.0.10' }],
  'the domain of the DNS': [alone, { dnsDomain: 'example.org' }],
  'the network of pods, among several nodes': [several, { podCidr: '10.6.0.0/16' }],
  'the runtime': [alone, { preset: 'default-crio', runtime: 'crio' }],
  'whether there is Kubernetes': [alone, { preset: 'default-docker-nokube', kubernetes: false }],
  'the name of the node': [alone, { nodeName: 'b' }],
  'the name of a node that has joined': [worker, { nodeName: 'b' }],
  'the address of a node that has joined': [worker, { hostIp: '192.0.2.12' }],
};
for (const [what, [first, change]] of Object.entries(fixed)) {
  test(`with data, ${what} cannot change`, (t) => {
    t.throws(() => again(first, change), { code: 'setting-fixed' });
    t.notThrows(() => again(first, {}));
  });
}

test('what data does not depend on can change', (t) => {
  t.notThrows(() =>
    again(alone, { podCidr: '10.6.0.0/16', dockerCidr: '10.7.0.0/16', mtu: 1500, apiPort: 7443 }),
  );
  t.notThrows(() => again(alone, { hostIp: '192.0.2.10' }), 'other nodes may join later');
  t.notThrows(() => again(several, { hostIp: '192.0.2.20' }));
  t.notThrows(() => refuseChange(parseSettings({ dnsDomain: 'example.org' }), undefined));
});

test('what an instance of an earlier version does not remember it takes as it comes', (t) => {
  const before: Remembered = {
    preset: 'default-containerd',
    runtime: 'containerd',
    kubernetes: true,
    artifactPaths: {},
  };
  t.notThrows(() => refuseChange(parseSettings({ ...alone, serviceCidr: '10.96.0.0/16' }), before));
});

test('the refusal says what it was, and the ways out', (t) => {
  const error = t.throws<U7sError>(() => again(alone, { dnsDomain: 'example.org' }));
  t.regex(error.message, /dnsDomain "cluster\.local", which cannot become "example\.org"/);
  t.deepEqual(error.fixes[1], u7s(['reset'], { text: 'or remove the data' }));
});

test('another kind of instance is refused by what people call it', (t) => {
  const error = t.throws<U7sError>(() =>
    again(alone, { preset: 'default-docker-nokube', kubernetes: false }),
  );
  t.regex(
    error.message,
    /was made as default-containerd; with its data it cannot become default-docker-nokube/,
  );
  t.deepEqual(error.fixes, [
    u7s(['--cluster', 'NAME', 'up', 'default-docker-nokube'], {
      text: 'start another instance in addition to this one',
    }),
    u7s(['reset'], { text: 'or remove its data' }),
  ]);
});

test('a node that has joined is told to leave first', (t) => {
  const error = t.throws<U7sError>(() => again(worker, { hostIp: '192.0.2.12' }));
  t.regex(error.message, /has joined https:\/\/192\.0\.2\.10:6443 with hostIp "192\.0\.2\.11"/);
  t.deepEqual(error.fixes, [u7s(['leave'], { text: 'leave the cluster and join it anew' })]);
});
