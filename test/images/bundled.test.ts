import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'ava';
import { bundledImages } from '#src/images/bundled.js';
import type { Event } from '#src/lib/events.js';
import { temporary } from '../temporary.js';

test('the images are made once, and again when CoreDNS changes', async (t) => {
  const root = await temporary(t);
  const binary = join(root, 'coredns');
  const dir = join(root, 'images');
  const said: (string | undefined)[] = [];
  const make = (version: string) =>
    bundledImages({
      architecture: 'amd64',
      coredns: { binary, version },
      dir,
      report: (event: Event) => {
        if (event.kind === 'step' && event.state === 'done') said.push(event.detail);
      },
      signal: new AbortController().signal,
    });

  await writeFile(binary, 'one');
  const first = await make('1.0.0');
  t.is(first.pause.reference, 'localhost/pause:1');
  t.is(first.coredns.reference, 'localhost/coredns:1.0.0');
  t.regex(first.coredns.digest, /^sha256:[0-9a-f]{64}$/);
  const { mtimeMs } = await stat(first.coredns.archive);

  t.deepEqual(await make('1.0.0'), first);
  t.is((await stat(first.coredns.archive)).mtimeMs, mtimeMs);

  await writeFile(binary, 'other');
  const second = await make('1.0.0');
  t.not(second.coredns.archive, first.coredns.archive);
  t.is(second.pause.archive, first.pause.archive);

  const third = await make('1.0.1');
  t.deepEqual(said, ['2 made', 'from cache', '1 made', '1 made']);
  t.deepEqual(
    (await readdir(dir)).sort(),
    [third.coredns.archive, third.pause.archive].map((path) => basename(path)),
  );
});
