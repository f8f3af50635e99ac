import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import {
  installUnit,
  notifyReady,
  removeUnit,
  renderUnit,
  requireSystemd,
  userManager,
  userUnit,
} from '#src/host/systemd.js';
import type { U7sError } from '#src/lib/errors.js';
import { likeFixes } from '../like-fixes.js';
import { temporary } from '../temporary.js';

/** An environment in which `program` only writes down how it was called. */
async function withProgram(
  t: ExecutionContext,
  program: string,
  script = '',
): Promise<{ env: Record<string, string>; home: string; calls: () => Promise<string[]> }> {
  const home = await temporary(t);
  const bin = join(home, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, program), `#!/bin/sh\necho "$*" >>${home}/calls\n${script}\n`);
  await chmod(join(bin, program), 0o755);
  return {
    env: { PATH: `${bin}:/usr/bin:/bin` },
    home,
    calls: async () =>
      (await readFile(join(home, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
  };
}

test('the unit', (t) => {
  t.snapshot(
    renderUnit({
      cluster: 'default',
      command: ['/usr/bin/node', '/home/a user/100% "mine"/bin/u7s.js', 'up', '--node-name', '$HOME'],
      path: '/usr/bin:/bin',
    }),
  );
});

test('it lies where systemd looks for units of the user', (t) => {
  t.is(userUnit('usernetes-b', '/home/a/.config').file, '/home/a/.config/systemd/user/usernetes-b.service');
});

test('it is written, read by systemd and enabled; removed, it is stopped before', async (t) => {
  const { env, home, calls } = await withProgram(t, 'systemctl');
  const unit = userUnit('usernetes', join(home, '.config'));
  await installUnit(unit, 'content', env);
  t.is(await readFile(unit.file, 'utf8'), 'content');
  t.deepEqual(await calls(), ['--user daemon-reload', '--user enable usernetes.service']);
  t.true(await removeUnit(unit, env));
  await t.throwsAsync(access(unit.file), { code: 'ENOENT' });
  t.deepEqual((await calls()).slice(2), ['--user disable --now usernetes.service', '--user daemon-reload']);
  t.false(await removeUnit(unit, env), 'it is not there any more');
});

test('a user without a manager of their own is told how to get one', async (t) => {
  const { env, home } = await withProgram(t, 'systemctl', 'echo Failed to connect to bus >&2; exit 1');
  const error = await t.throwsAsync<U7sError>(
    installUnit(userUnit('usernetes', join(home, '.config')), '', env),
    {
      code: 'systemd-failed',
      message: /daemon-reload failed: Failed to connect to bus/,
    },
  );
  likeFixes(t, error?.fixes, [/enable-linger/]);
});

test('a host without systemd is refused, with another way to start at boot', async (t) => {
  const missing = join(await temporary(t), 'systemd');
  await t.throwsAsync(requireSystemd(['crontab -e'], missing), { code: 'no-systemd' });
  await mkdir(missing);
  await t.notThrowsAsync(requireSystemd(['crontab -e'], missing));
});

test('systemd is told that the cluster is Ready where it waits for that', async (t) => {
  const { env, calls } = await withProgram(t, 'systemd-notify');
  await notifyReady('Ready', env);
  t.deepEqual(await calls(), []);
  await notifyReady('Ready', { ...env, NOTIFY_SOCKET: '/run/notify' });
  t.deepEqual(await calls(), ['--ready --status=Ready']);
});

test('the user’s systemd tells its own cgroup and whether it has delegated that of a unit', async (t) => {
  const answer = (delegate: string): string =>
    `printf 'ControlGroup=/user@1.service\\nDelegate=yes\\n\\nControlGroup=/user@1.service/a.scope\\nDelegate=${delegate}\\n'`;
  for (const [delegate, delegatesUnit] of [
    ['yes', true],
    ['no', false],
  ] as const) {
    const { env, calls } = await withProgram(t, 'systemctl', answer(delegate));
    t.deepEqual(await userManager('a.scope', env), { cgroup: '/user@1.service', delegatesUnit });
    t.deepEqual(await calls(), ['--user show --property=ControlGroup,Delegate -- -.slice a.scope']);
  }
  const { env } = await withProgram(t, 'systemctl', 'echo no bus >&2; exit 1');
  t.is(await userManager('a.scope', env), undefined);
  t.is(await userManager('a.scope', { PATH: '/nowhere' }), undefined);
});
