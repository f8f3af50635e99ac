import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { memoryOf } from '#src/settings/remembered.js';
import { resolveSettings, type Sources } from '#src/settings/resolve.js';
import { parseSettings, type SettingsInput } from '#src/settings/schema.js';
import { temporary } from '../temporary.js';

const resolve = (sources: Partial<Sources> = {}) =>
  resolveSettings({ preset: 'default-containerd', projectRoot: process.cwd(), env: {}, ...sources });

async function describe(t: ExecutionContext, text: string): Promise<string> {
  const file = join(await temporary(t), 'cluster.yaml');
  await writeFile(file, text);
  return file;
}

const before = (input: SettingsInput) => memoryOf(parseSettings({ nodeName: 'u7s-host', ...input }));

test('flags count for more than the environment, that than the file, that than what is remembered, that than defaults', async (t) => {
  const config = await describe(t, 'hostIp: 192.0.2.3');
  const env = { HOST_IP: '192.0.2.2' };
  const remembered = before({ hostIp: '192.0.2.4' });
  const hostIp = async (sources: Partial<Sources>) => (await resolve(sources)).hostIp;
  t.is(await hostIp({ flags: { hostIp: '192.0.2.1', config }, env, remembered }), '192.0.2.1');
  t.is(await hostIp({ flags: { config }, env, remembered }), '192.0.2.2');
  t.is(await hostIp({ flags: { config }, remembered }), '192.0.2.3');
  t.is(await hostIp({ remembered }), '192.0.2.4');
  t.is(await hostIp({}), undefined);
});

test('the preset says what the instance is made of', async (t) => {
  t.like(await resolve({ preset: 'default-docker-nokube' }), { runtime: 'docker', kubernetes: false });
  const remembered = before({ preset: 'default-containerd' });
  t.is((await resolve({ preset: 'default-crio', remembered })).runtime, 'crio', 'which is refused later');
});

test('a preset that does not exist is answered with the near one', async (t) => {
  await t.throwsAsync(resolve({ preset: 'default-criu' }), { code: 'no-such-preset' });
});

test('what a control plane settled stays: the networks, and where it is reached', async (t) => {
  const first = { hostIp: '192.0.2.10', serviceCidr: '10.96.0.0/16', podCidr: '10.6.0.0/16', apiPort: 6500 };
  const remembered = before(first);
  t.like(await resolve({ remembered }), { ...first, dnsAddress: '10.96.0.53' });
  t.like(await resolve({ remembered, flags: { apiPort: 6501 } }), { ...first, apiPort: 6501 });
});

test('a control plane that other nodes may join from now on divides another network', async (t) => {
  const remembered = before({});
  t.is((await resolve({ remembered })).podCidr, '10.88.0.0/16');
  t.is((await resolve({ remembered, flags: { hostIp: '192.0.2.10' } })).podCidr, '10.5.0.0/16');
});

test('the control plane that is joined decides what all nodes have alike; its address suggests the node’s', async (t) => {
  const given = { controlPlane: 'https://192.0.2.10:6443', podCidr: '10.6.0.0/16', flannelPort: 8473 };
  const suggested = { hostIp: '192.0.2.11' };
  t.like(await resolve({ env: { PORT_FLANNEL: '8472' }, suggested, given }), { ...given, ...suggested });
  t.is((await resolve({ env: { HOST_IP: '192.0.2.12' }, suggested, given })).hostIp, '192.0.2.12');
});

const freePort: Sources['freePort'] = (field) => Promise.resolve(field === 'apiPort' ? 6444 : 9000);

test('a port that nobody named is looked for, but only where it is published', async (t) => {
  t.like(await resolve({ freePort }), { apiPort: 6444, kubeletPort: 10250 });
  t.like(await resolve({ freePort, flags: { hostIp: '192.0.2.10', apiPort: 6443 } }), {
    apiPort: 6443,
    kubeletPort: 9000,
  });
});

test('in a container ports are looked for at the address that listens', async (t) => {
  const asked: string[] = [];
  const settings = await resolve({
    env: { HOST_IP: '192.0.2.10', U7S_LISTEN_ADDRESS: '0.0.0.0' },
    freePort: (_, address) => Promise.resolve(asked.push(address) + 7000),
  });
  t.like(settings, { listenAddress: '0.0.0.0', apiAddress: '0.0.0.0', publishAddress: '0.0.0.0' });
  t.deepEqual(asked, ['0.0.0.0', '0.0.0.0', '0.0.0.0']);
});

test('an artifact given by path is remembered until another is given, by file or by flag', async (t) => {
  const config = await describe(t, 'artifactPaths: { crio: /file/crio }');
  const remembered = before({ artifactPaths: { crio: '/before/crio', conmon: '/before/conmon' } });
  const paths = async (sources: Partial<Sources>) => (await resolve(sources)).artifactPaths;
  t.deepEqual(await paths({ remembered, flags: { config } }), {
    crio: '/file/crio',
    conmon: '/before/conmon',
  });
  t.deepEqual(await paths({ remembered, flags: { config, artifact: { conmon: '/flag/conmon' } } }), {
    crio: '/file/crio',
    conmon: '/flag/conmon',
  });
  t.deepEqual(await paths({ flags: { config } }), { crio: '/file/crio' });
});

test('a description that is none is a usage error', async (t) => {
  for (const text of ['[1,2', '- a', 'word']) {
    const config = await describe(t, text);
    await t.throwsAsync(resolve({ flags: { config } }), { code: 'description-invalid' }, text);
  }
  await t.throwsAsync(resolve({ flags: { config: '/nowhere.yaml' } }), { code: 'file-unreadable' });
});
