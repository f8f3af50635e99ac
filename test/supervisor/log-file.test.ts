import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'ava';
import { olderLogs, openLog, rotateLog, serviceOfLog } from '#src/supervisor/log-file.js';
import { temporaryDir } from './harness.js';

const limits = { bytes: 10, files: 3 };

test.serial('a log is appended to, and only its owner reads it whatever the umask', async (t) => {
  const path = join(await temporaryDir(t), 'x.log');
  const umask = process.umask(0o777);
  t.teardown(() => process.umask(umask));
  for (const line of ['one\n', 'two\n']) {
    const log = await openLog(path);
    await log.write(line);
    await log.close();
  }
  t.is(await readFile(path, 'utf8'), 'one\ntwo\n');
  t.is((await stat(path)).mode & 0o777, 0o600);
});

test('a log whose folder was removed is begun anew', async (t) => {
  const path = join(await temporaryDir(t), 'logs', 'x.log');
  await (await openLog(path)).close();
  t.is(await readFile(path, 'utf8'), '');
});

test('a log that has grown too large is rotated while its writer keeps it open', async (t) => {
  const dir = await temporaryDir(t);
  const path = join(dir, 'x.log');
  const log = await openLog(path, limits);
  t.teardown(() => log.close());
  for (const content of ['1111111111', '2222222222', '3333333333', '4444444444']) {
    await log.write(content);
    await rotateLog(path, limits);
  }
  await log.write('5');
  t.deepEqual((await readdir(dir)).sort(), ['x.log', 'x.log.1', 'x.log.2']);
  t.is(await readFile(path, 'utf8'), '5');
  t.is(await readFile(`${path}.1`, 'utf8'), '4444444444');
  t.is(await readFile(`${path}.2`, 'utf8'), '3333333333');
  t.is((await stat(`${path}.1`)).mode & 0o777, 0o600);
});

test('of a log that outgrew its limit the end is kept', async (t) => {
  const path = join(await temporaryDir(t), 'x.log');
  await writeFile(path, 'the beginning|0123456789');
  await rotateLog(path, limits);
  t.is(await readFile(`${path}.1`, 'utf8'), '0123456789');
  t.is((await stat(path)).size, 0);
});

test('opening rotates; a small or missing log is left alone', async (t) => {
  const dir = await temporaryDir(t);
  await rotateLog(join(dir, 'missing.log'), limits);
  await writeFile(join(dir, 'small.log'), 'small');
  await rotateLog(join(dir, 'small.log'), limits);
  await writeFile(join(dir, 'large.log'), 'large large');
  await (await openLog(join(dir, 'large.log'), limits)).close();
  t.deepEqual((await readdir(dir)).sort(), ['large.log', 'large.log.1', 'small.log']);
});

test('the older parts of a log are found, oldest first, whoever has rotated it', async (t) => {
  const dir = await temporaryDir(t);
  const names = ['audit-2026-11-28T10-00-00.000.log.gz', 'audit-2026-11-28T11-00-00.000.log'];
  for (const name of [...names, 'audit.log', 'audit-proxy.log']) await writeFile(join(dir, name), '');
  t.deepEqual(
    (await olderLogs(dir, 'audit')).map((path) => basename(path)),
    [...names, 'audit.log.2', 'audit.log.1'],
  );
  t.deepEqual([...names, 'audit.log', 'audit-proxy.log'].map(serviceOfLog), [
    undefined,
    undefined,
    'audit',
    'audit-proxy',
  ]);
});
