import { Command } from 'commander';
import test from 'ava';
import { settingsOptions } from '#src/cli/options/settings.js';
import type { Verb } from '#src/settings/entry.js';
import { fromFlags } from '#src/settings/flags.js';

/** What a command line says of settings. */
function parse(verb: Verb, ...words: string[]): object {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of settingsOptions(verb)) command.addOption(option);
  return fromFlags(command.parse(words, { from: 'user' }).opts());
}

test('nothing is said by a command line without flags', (t) => {
  t.deepEqual(parse('up'), {});
  t.deepEqual(parse('join'), {});
});

test('flags become settings of their names', (t) => {
  t.deepEqual(
    parse('up', '--node-name', 'a', '--api-port', '7443', '--host-ip', '192.0.2.10', '--no-expose'),
    {
      nodeName: 'a',
      apiPort: 7443,
      hostIp: '192.0.2.10',
      expose: false,
    },
  );
  t.deepEqual(parse('join', '--runtime', 'crio'), { runtime: 'crio' });
});

test('features are named one by one, or all at once', (t) => {
  t.deepEqual(parse('up', '--without', 'storage', '--without', 'storage'), {
    without: ['storage', 'storage'],
  });
  t.deepEqual(parse('up', '--without', 'storage,storage'), { without: ['storage', 'storage'] });
  t.deepEqual(parse('up', '--without', 'none'), { without: [] });
});

test('flags that are repeated add up', (t) => {
  t.deepEqual(parse('up', '--publish', '80:80/tcp', '--publish', '443:443/tcp'), {
    publish: ['80:80/tcp', '443:443/tcp'],
  });
  t.deepEqual(parse('up', '--artifact', 'runc=/opt/runc', '--artifact', 'etcd=/opt/etcd'), {
    artifactPaths: { runc: '/opt/runc', etcd: '/opt/etcd' },
  });
  t.deepEqual(parse('join', '--node-label', 'disk=ssd', '--node-label', 'rack=r=1'), {
    nodeLabels: { disk: 'ssd', rack: 'r=1' },
  });
});

test('a base gives all ports, of which one may still be named', (t) => {
  t.deepEqual(parse('up', '--port-base', '7000', '--kubelet-port', '7100'), {
    apiPort: 7000,
    kubeletPort: 7100,
    flannelPort: 7002,
    etcdPort: 7003,
  });
});

for (const words of [
  ['--api-port', 'https'],
  ['--api-port', '70000'],
  ['--artifact', 'runc'],
  ['--artifact', 'nothing=/opt/nothing'],
  ['--artifacts', 'steal'],
  ['--without', 'gravity'],
  ['--without', ''],
]) {
  test(`${words.join(' ')} is refused as the command line is read`, (t) => {
    t.throws(() => parse('up', ...words), { code: 'commander.invalidArgument' });
  });
}
