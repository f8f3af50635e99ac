import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { detectCgroups } from '#src/host/cgroup.js';
import { temporary } from '../temporary.js';

/** Lays out a cgroup file system with `files`; our own cgroup is /own. */
async function fixture(
  t: ExecutionContext,
  files: Record<string, string>,
): Promise<{ sysfs: string; self: string }> {
  const root = await temporary(t);
  for (const [name, content] of Object.entries({ self: '0::/own\n', ...files })) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return { sysfs: join(root, 'fs'), self: join(root, 'self') };
}

const delegated = {
  'fs/cgroup.controllers': 'cpuset cpu io memory pids\n',
  'fs/own/cgroup.controllers': 'cpuset cpu io memory pids\n',
  'fs/own/cgroup.procs': '',
  'fs/own/cgroup.subtree_control': '',
};

/** A user's systemd in the cgroup /manager that may have delegated the unit our cgroup is of; or none at all. */
const manager = (delegatesUnit: boolean) => () => Promise.resolve({ cgroup: '/manager', delegatesUnit });
const noManager = () => Promise.resolve(undefined);

test('a cgroup v2 directory of ours with cpu, memory and pids has limits', async (t) => {
  t.deepEqual(await detectCgroups({}, await fixture(t, delegated), noManager), {
    mode: 'delegated',
    version: 'v2',
    controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    reason: 'pod limits are on: cpuset, cpu, io, memory, pids delegated',
    fixes: [],
    enter: [],
  });
});

test('missing controllers are named', async (t) => {
  const roots = await fixture(t, { ...delegated, 'fs/own/cgroup.controllers': 'memory pids\n' });
  const found = await detectCgroups({}, roots, noManager);
  t.like(found, { mode: 'none', version: 'v2', controllers: ['memory', 'pids'], enter: [] });
  t.regex(found.reason, /cpu not delegated in the cgroup \/own \(Delegate=\)$/);
  t.like(found.fixes, [{ commands: [['init-host']], about: 'host' }]);
});

const { 'fs/own/cgroup.subtree_control': _, ...ofLogin } = delegated;
const offered = { 'fs/manager/cgroup.controllers': 'cpu memory pids\n' };

test('in a cgroup that is not ours, as that of a login session, a scope of the user’s systemd has them', async (t) => {
  const found = await detectCgroups({}, await fixture(t, { ...ofLogin, ...offered }), manager(false));
  t.like(found, { mode: 'delegated', controllers: ['cpu', 'memory', 'pids'] });
  t.is(found.reason, "pod limits are on: cpu, memory, pids delegated by the user's systemd");
  t.regex(found.enter.join(' '), /^systemd-run --user --scope .*--property=Delegate=yes .*--$/);
});

test('a cgroup below the user’s systemd is ours only when that says so', async (t) => {
  const files = { self: '0::/manager/app.slice/terminal.scope\n', ...offered };
  for (const name of ['cgroup.controllers', 'cgroup.procs', 'cgroup.subtree_control']) {
    Object.assign(files, { [`fs/manager/app.slice/terminal.scope/${name}`]: 'cpu memory pids\n' });
  }
  const roots = await fixture(t, { ...delegated, ...files });
  const asked: unknown[] = [];
  const ask = (answer: boolean) => (unit: string | undefined) => {
    asked.push(unit);
    return manager(answer)();
  };
  t.is((await detectCgroups({}, roots, ask(false))).enter[0], 'systemd-run');
  t.deepEqual((await detectCgroups({}, roots, ask(true))).enter, []);
  t.deepEqual(asked, ['terminal.scope', 'terminal.scope']);
});

test('without a systemd of the user that has one to give there are none', async (t) => {
  const without = await detectCgroups({}, await fixture(t, ofLogin), noManager);
  t.like(without, { mode: 'none', enter: [] });
  t.regex(without.reason, /\/own is not delegated to this user, .*Delegate=yes\)$/);
  t.like(without.fixes, [{ commands: [['init-host']], about: 'host' }]);

  const poor = { ...ofLogin, 'fs/manager/cgroup.controllers': 'memory pids\n' };
  const found = await detectCgroups({}, await fixture(t, poor), manager(false));
  t.like(found, { mode: 'none', enter: [] });
  t.regex(found.reason, /cpu not delegated in the cgroup \/manager \(Delegate=\)$/);
});

test('cgroup v1 and hybrid hosts have none', async (t) => {
  const hybrid = await detectCgroups({}, await fixture(t, { 'fs/unified/cgroup.controllers': '' }));
  t.like(hybrid, { mode: 'none', version: 'hybrid', controllers: [] });
  t.regex(hybrid.reason, /v1 and v2 \(hybrid\)$/);
  t.like(hybrid.fixes, [{ commands: [['init-host']], about: 'host' }]);
  const v1 = await detectCgroups({}, await fixture(t, { 'fs/memory/tasks': '' }));
  t.like(v1, { mode: 'none', version: 'v1' });
});
