import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { importMissingCommand, skopeoStore } from '#src/images/skopeo-store.js';
import { run, runOk } from '#src/lib/exec.js';
import { temporary } from '../temporary.js';
import { standIn } from './stand-in.js';

for (const exitCode of [0, 1]) {
  test(`only images that the storage lacks are copied, and it ends with ${exitCode} when that does`, async (t) => {
    const skopeo = await standIn(
      t,
      `inspect*known:1) echo sha256:11 ;;
       inspect*) exit 1 ;;
       copy*) exit ${exitCode} ;;`,
    );
    const { command, args } = importMissingCommand(skopeo.path, [
      { reference: 'localhost/known:1', digest: 'sha256:11', archive: '/known.tar' },
      { reference: 'localhost/known:1', digest: 'sha256:22', archive: '/a new.tar' },
    ]);
    t.is((await run(command, args)).exitCode, exitCode);
    t.deepEqual(await skopeo.calls(), [
      'inspect --format {{.Digest}} containers-storage:localhost/known:1',
      'inspect --format {{.Digest}} containers-storage:localhost/known:1',
      'copy --quiet oci-archive:/a new.tar containers-storage:localhost/known:1',
    ]);
  });
}

const store = skopeoStore('/usr/bin/skopeo');

test('images are listed by each of their names, with the size of all their layers', (t) => {
  const printed = {
    images: [
      { id: '1', names: ['localhost/a:1', 'localhost/b:1'], digest: 'sha256:aa', layer: 'top' },
      { id: '2', digest: 'sha256:bb', layer: 'top' },
    ],
    layers: [
      { id: 'top', parent: 'base', 'diff-size': 524_288 },
      { id: 'base', 'diff-size': 3 * 2 ** 20 },
      { id: 'container', parent: 'top', 'diff-size': 7 },
    ],
  };
  t.deepEqual(store.parseList(JSON.stringify(printed)), [
    { reference: 'localhost/a:1', digest: 'sha256:aa', size: '3.5 MiB' },
    { reference: 'localhost/b:1', digest: 'sha256:aa', size: '3.5 MiB' },
  ]);
});

test('the records are those of the storage driver in use; before the first image there are none', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'storage.conf'), '[storage]\ndriver = "vfs"\n');
  const { command, args } = store.listCommand();
  const elsewhere = args.map((word) =>
    word.replaceAll('/var/lib/containers', folder).replaceAll('/etc/containers', folder),
  );
  const listed = async () => store.parseList(await runOk(command, elsewhere));
  t.deepEqual(await listed(), []);
  for (const driver of ['vfs', 'overlay']) {
    const images = join(folder, 'storage', `${driver}-images`);
    await mkdir(images, { recursive: true });
    const record = [{ names: [`localhost/${driver}:1`], digest: 'sha256:aa', layer: 'none' }];
    await writeFile(join(images, 'images.json'), JSON.stringify(record));
  }
  t.deepEqual(await listed(), [{ reference: 'localhost/vfs:1', digest: 'sha256:aa', size: '0.0 MiB' }]);
});
