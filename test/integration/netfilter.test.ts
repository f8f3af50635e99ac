import { chmod, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { thisHost, type Host } from '#src/host/host.js';
import { tryNamespace, type NamespaceTrial } from '#src/host/namespace-trial.js';
import type { Netfilter } from '#src/rootless/netfilter.js';
import { run } from '#src/lib/exec.js';
import { temporary } from '../temporary.js';

const here = thisHost(process.env);

test('what is chosen on this host takes the rules of five hundred Services at once', async (t) => {
  const netfilter = await chosenOn(here);
  t.is(netfilter?.backend, 'iptables');
  const restore = join(netfilter?.legacyFolder ?? '/none', 'iptables-legacy-restore');
  const rules = Array.from({ length: 500 }, (_, index) => {
    const chain = `KUBE-SVC-${String(index).padStart(16, '0')}`;
    const rule = `-A ${chain} -m comment --comment "default/service-${index}" -p tcp -d 10.0.0.1 -j KUBE-MARK-MASQ`;
    return { chain: `:${chain} - [0:0]`, rules: Array.from({ length: 4 }, () => rule) };
  });
  const input = [
    '*nat',
    ':KUBE-MARK-MASQ - [0:0]',
    ...rules.map(({ chain }) => chain),
    ...rules.flatMap((each) => each.rules),
    'COMMIT\n',
  ].join('\n');
  const { exitCode, stderr } = await run(
    'unshare',
    ['-rnm', 'sh', '-c', 'mount -t tmpfs none /run && exec "$0" --noflush', restore],
    { env: here.env, input },
  );
  t.is(exitCode, 0, stderr);
});

test('without a legacy iptables that works it is the plain one', async (t) => {
  const host = await hostWith(t, { 'iptables-legacy': 'exit 1', iptables: 'exit 0' });
  t.deepEqual(await chosenOn(host), { backend: 'iptables' });
});

test('where only nft works it is that', async (t) => {
  const host = await hostWith(t, { iptables: 'exit 4', nft: 'exit 0' });
  t.deepEqual(await chosenOn(host), { backend: 'nftables' });
});

test('nothing is chosen where nothing works, and each says why', async (t) => {
  const host = await hostWith(t, { iptables: 'echo no table nat; exit 4' });
  const { netfilter, faults } = await trialOn(host);
  t.is(netfilter, undefined);
  t.regex(faults['iptables-legacy'] ?? '', /not found/);
  t.is(faults.iptables, 'no table nat');
  t.regex(faults.nft ?? '', /not found/);
});

async function chosenOn(host: Host): Promise<Netfilter | undefined> {
  return (await trialOn(host)).netfilter;
}

function trialOn(host: Host): Promise<NamespaceTrial> {
  const user = { uid: process.getuid!(), gid: process.getgid!(), subUids: [], subGids: [] };
  return tryNamespace(host, user, tmpdir());
}

/** This host, with these shell scripts and what the trial itself needs for programs. */
async function hostWith(t: ExecutionContext, scripts: Record<string, string>): Promise<Host> {
  const folder = await temporary(t);
  await chmod(folder, 0o755);
  const needed = ['unshare', 'setpriv', 'sh', 'mount', 'tr'];
  for (const program of needed) await symlink((await here.which(program)) ?? '', join(folder, program));
  for (const [name, script] of Object.entries(scripts))
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const names = [...needed, ...Object.keys(scripts)];
  return {
    ...here,
    env: { PATH: folder },
    which: (program) => Promise.resolve(names.includes(program) ? join(folder, program) : undefined),
  };
}
