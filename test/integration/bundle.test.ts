import { chmod, chown, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { run, runOk } from '#src/lib/exec.js';
import { baseTarball } from '../e2e/node-image.js';
import { needsRoot } from '../ordinary-user.js';
import { temporary } from '../temporary.js';

const serial = needsRoot === undefined ? test.serial : test.serial.skip;

/**
 * A command as user 1000 of a root file system: with namespaces of its own, a network that has nothing but loopback, and no
 * file of this machine. No chroot, in which no user namespace can be made.
 */
const inRoot = `
root=$1 uid=1000; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
for folder in sys dev; do mount --rbind "/$folder" "$root/$folder"; mount --make-rslave "$root/$folder"; done
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/user"; install -d -m 700 -o $uid -g $uid "$root/run/user/$uid"
ip link set lo up
cd "$root"; mkdir -p .host; pivot_root . .host; umount -l /.host
exec setpriv --reuid=$uid --regid=$uid --init-groups env -i HOME=/home/me USER=me LOGNAME=me \
  PATH=/usr/local/bin:/usr/bin:/bin XDG_RUNTIME_DIR=/run/user/$uid sh -ec "$1"
`;

const node = { image: 'localhost/coredns', pod: 'pod' };

/** From the archive to a pod that runs; says how long each took. */
const session = `
cd; now() { date +%s%N; }
start=$(now); tar xf usernetes.tar.gz; unpacked=$(now)
cd usernetes
sha256sum --check --quiet SHA256SUMS
./run.sh -d default-containerd; ready=$(now)
./kubectl.sh get nodes --no-headers
image=$(./kubectl.sh -n kube-system get deployment coredns -o 'jsonpath={..image}')
./kubectl.sh run ${node.pod} --image="$image" --image-pull-policy=Never --command -- /coredns -dns.port 5353
./kubectl.sh wait --for=condition=Ready pod/${node.pod} --timeout=60s
./bin/u7s down
! [ -e ~/.local/share/usernetes/artifacts ]
echo "times $(( (unpacked - start) / 1000000 )) $(( (ready - start) / 1000000 ))"
`;

/** As a release would be installed, updated, taken back and removed. */
const installing = `
cd; mkdir -p new
cp usernetes.tar.gz new/usernetes.tar.gz
(cd usernetes; cp install.sh ..)
rm -r usernetes
! sh install.sh new/usernetes.tar.gz 2>no-sum; grep -q -- --sha256 no-sum
! sh install.sh --sha256 $(printf 0%.0s $(seq 64)) new/usernetes.tar.gz 2>/dev/null
! [ -e .local/bin/u7s ]
sha256sum new/usernetes.tar.gz > new/usernetes.tar.gz.sha256
sh install.sh new/usernetes.tar.gz
sh install.sh new/usernetes.tar.gz
PATH=$HOME/.local/bin:$PATH
first=$(u7s --version); echo "installed $first"
mkdir next; tar xf new/usernetes.tar.gz -C next
sed -i 's/^  "version": ".*",$/  "version": "99.0.0",/' next/usernetes/package.json
(cd next/usernetes; grep -v ' package.json$' SHA256SUMS >sums; sha256sum package.json >>sums; mv sums SHA256SUMS)
tar cf next.tar -C next usernetes; rm -r next
u7s up -d default-containerd
u7s self-update --from next.tar --sha256 $(sha256sum <next.tar | cut -d' ' -f1)
[ "$(u7s --version)" = 99.0.0 ]
u7s kubectl get nodes --no-headers
u7s self-update --rollback
[ "$(u7s --version)" = "$first" ]
! sh install.sh --uninstall 2>/dev/null
u7s kubectl get nodes --no-headers
u7s down
sh install.sh --uninstall
sh install.sh --uninstall | grep -q 'nothing is installed'
! [ -e .local/bin/u7s ]
ls .local/share
`;

serial('a bundle runs on a bare Debian without a network, from tar to a pod; two are equal', async (t) => {
  t.timeout(15 * 60_000);
  const scratch = await temporary(t);
  const root = join(scratch, 'root');
  const home = join(root, 'home/me');
  const archives = [join(scratch, 'usernetes.tar.gz'), join(scratch, 'again.tar.gz')];
  for (const archive of archives)
    await runOk('bin/u7s.js', [
      'bundle',
      'create',
      '--preset',
      'default-containerd',
      '--level',
      '1',
      '-o',
      archive,
    ]);
  const [sum, again] = await Promise.all(
    archives.map(async (archive) => (await runOk('sha256sum', [archive])).split(' ')[0]),
  );
  t.is(sum, again);

  await mkdir(root);
  await runOk('tar', ['-xf', await baseTarball(AbortSignal.timeout(10 * 60_000)), '-C', root]);
  await runOk('rm', ['-f', join(root, 'usr/bin/slirp4netns')]);
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nme:x:1000:\n');
  for (const file of ['subuid', 'subgid']) await writeFile(join(root, 'etc', file), 'me:500000000:65536\n');
  await mkdir(home, { recursive: true });
  await copyFile(archives[0] ?? '', join(home, 'usernetes.tar.gz'));
  await chown(home, 1000, 1000);
  await chmod(scratch, 0o755);
  for (const program of ['node', 'git', 'go', 'gcc'])
    t.not((await run('test', ['-e', join(root, 'usr/bin', program)])).exitCode, 0, program);

  const inside = async (script: string): Promise<string> => {
    const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child'];
    const { exitCode, stdout, stderr } = await run('unshare', [
      ...namespaces,
      'sh',
      '-ec',
      inRoot,
      'sh',
      root,
      script,
    ]);
    t.is(exitCode, 0, `${stdout}\n${stderr}`);
    return stdout;
  };
  const said = await inside(session);
  t.regex(said, /^\S+ +Ready/m);
  t.log(/^times .*$/m.exec(said)?.[0] ?? '');
  const bill = JSON.parse(await readFile(join(home, 'usernetes/sbom.cdx.json'), 'utf8')) as {
    components: { name: string; purl?: string }[];
  };
  for (const purl of ['pkg:npm/commander@', 'pkg:golang/k8s.io/kubernetes@', 'pkg:golang/std@'])
    t.true(
      bill.components.some((each) => each.purl?.startsWith(purl)),
      purl,
    );
  t.true((await readFile(join(home, 'usernetes/licences/INDEX.txt'), 'utf8')).includes('commander'));

  const installed = await inside(installing);
  t.regex(installed, /^kept: .*usernetes /m);
  t.deepEqual(installed.trim().split('\n').at(-1), 'usernetes');
  await rm(root, { recursive: true, force: true });
});
