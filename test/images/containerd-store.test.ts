import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { containerdStore, importMissingCommand } from '#src/images/containerd-store.js';
import { temporary } from '../temporary.js';

test("an archive is imported into Kubernetes' namespace of containerd", (t) => {
  const store = containerdStore({ ctr: '/bin/ctr', socket: '/run/containerd.sock', namespace: 'k8s.io' });
  t.deepEqual(store.importCommand('-'), {
    command: '/bin/ctr',
    args: '--address /run/containerd.sock --namespace k8s.io images import --local --no-unpack -'.split(' '),
  });
});

/** A stand-in for ctr, which knows `localhost/known:1` alone, or fails to import. */
const fakeCtr = (folder: string, exitCode: number) => `#!/bin/sh
echo "$*" >> ${folder}/calls
case "$*" in
*" list "*known:1*) echo localhost/known:1 ;;
*" import "*) exit ${exitCode} ;;
esac
`;

for (const exitCode of [0, 1]) {
  test(`only images that containerd lacks are imported, and it ends with ${exitCode} when that does`, async (t) => {
    const folder = await temporary(t);
    const ctr = join(folder, 'ctr');
    await writeFile(ctr, fakeCtr(folder, exitCode));
    await chmod(ctr, 0o755);
    const { command, args } = importMissingCommand(
      { ctr, socket: 'SOCKET', namespace: 'k8s.io' },
      'overlayfs',
      [
        { reference: 'localhost/known:1', digest: 'sha256:11', archive: '/known.tar' },
        { reference: 'localhost/new:1', digest: 'sha256:22', archive: '/a new.tar' },
      ],
    );
    const ended = await promisify(execFile)(command, args).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    t.is(ended, exitCode);
    t.is(
      await readFile(join(folder, 'calls'), 'utf8'),
      [
        'list -q name==localhost/known:1,target.digest==sha256:11',
        'list -q name==localhost/new:1,target.digest==sha256:22',
        'import --local --snapshotter overlayfs /a new.tar',
      ]
        .map((call) => `--address SOCKET --namespace k8s.io images ${call}\n`)
        .join(''),
    );
  });
}
