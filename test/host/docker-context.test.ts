import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { publishContext, withdrawContext } from '#src/host/docker-context.js';
import { temporary } from '../temporary.js';

const socket = '/run/user/1001/docker.sock';

test('a context is made as docker makes it, and goes again with all that points to it', async (t) => {
  const folder = join(await temporary(t), '.docker');
  t.true(await publishContext(folder, 'usernetes', socket));
  t.true(await publishContext(folder, 'usernetes', socket), 'again');
  const [digest = ''] = await readdir(join(folder, 'contexts/meta'));
  t.regex(digest, /^[0-9a-f]{64}$/);
  t.deepEqual(JSON.parse(await readFile(join(folder, 'contexts/meta', digest, 'meta.json'), 'utf8')), {
    Name: 'usernetes',
    Metadata: { Description: 'dockerd of Usernetes' },
    Endpoints: { docker: { Host: `unix://${socket}`, SkipTLSVerify: false } },
  });
  await writeFile(join(folder, 'config.json'), '{"auths":{},"currentContext":"usernetes"}');
  await withdrawContext(folder, 'usernetes', socket);
  t.deepEqual(await readdir(folder), ['config.json']);
  t.deepEqual(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')), { auths: {} });
});

test('of a folder that was made for it nothing is left', async (t) => {
  const home = await temporary(t);
  await publishContext(join(home, '.docker'), 'usernetes', socket);
  await withdrawContext(join(home, '.docker'), 'usernetes', socket);
  t.deepEqual(await readdir(home), []);
});

test("another's context of the same name stays", async (t) => {
  const folder = await temporary(t);
  t.true(await publishContext(folder, 'usernetes', '/run/other.sock'));
  t.false(await publishContext(folder, 'usernetes', socket));
  await withdrawContext(folder, 'usernetes', socket);
  t.is((await readdir(join(folder, 'contexts/meta'))).length, 1);
});

test('where there is none, nothing is removed', async (t) => {
  const folder = await temporary(t);
  await mkdir(join(folder, 'contexts'));
  await t.notThrowsAsync(withdrawContext(folder, 'usernetes', socket));
});
