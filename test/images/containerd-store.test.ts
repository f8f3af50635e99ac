import test from 'ava';
import { containerdStore, importMissingCommand } from '#src/images/containerd-store.js';
import { architecture } from '#src/lib/architecture.js';
import { run } from '#src/lib/exec.js';
import { standIn } from './stand-in.js';

test("an archive is imported into Kubernetes' namespace of containerd", (t) => {
  const store = containerdStore({ ctr: '/bin/ctr', socket: '/run/containerd.sock', namespace: 'k8s.io' });
  t.deepEqual(store.importCommand('-'), {
    command: '/bin/ctr',
    args: `--address /run/containerd.sock --namespace k8s.io images import --local --no-unpack --platform linux/${architecture()} --label io.cri-containerd.pinned=pinned -`.split(
      ' ',
    ),
  });
});

for (const exitCode of [0, 1]) {
  test(`only images that containerd lacks are imported, and it ends with ${exitCode} when that does`, async (t) => {
    const ctr = await standIn(
      t,
      `*" list "*known:1*) echo localhost/known:1 ;;
       *" import "*) exit ${exitCode} ;;`,
    );
    const { command, args } = importMissingCommand(
      { ctr: ctr.path, socket: 'SOCKET', namespace: 'k8s.io' },
      'overlayfs',
      [
        { reference: 'localhost/known:1', digest: 'sha256:11', archive: '/known.tar' },
        { reference: 'localhost/new:1', digest: 'sha256:22', archive: '/a new.tar' },
      ],
    );
    t.is((await run(command, args)).exitCode, exitCode);
    t.deepEqual(
      await ctr.calls(),
      [
        'list -q name==localhost/known:1,target.digest==sha256:11',
        'list -q name==localhost/new:1,target.digest==sha256:22',
        'import --local --snapshotter overlayfs --label io.cri-containerd.pinned=pinned /a new.tar',
      ].map((call) => `--address SOCKET --namespace k8s.io images ${call}`),
    );
  });
}
