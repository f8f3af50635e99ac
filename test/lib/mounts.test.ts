import test from 'ava';
import { findMount } from '#src/lib/mounts.js';

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:20 / /home rw,noexec shared:2 master:3 - xfs /dev/vdb rw
31 22 0:21 / /home/my\\040disk rw - nfs4 server:/x rw
32 30 0:22 / /home rw - btrfs /dev/vdc rw
`;

test('a path lies on the mount whose point is nearest above it', (t) => {
  t.like(findMount(mountinfo, '/var/lib'), { point: '/', type: 'ext4' });
  t.like(findMount(mountinfo, '/homework'), { point: '/' });
  t.like(findMount(mountinfo, '/home/my disk/x'), { point: '/home/my disk', type: 'nfs4' });
});

test('of two mounts on one point the later hides the earlier', (t) => {
  t.deepEqual(findMount(mountinfo, '/home'), { point: '/home', type: 'btrfs', options: ['rw'] });
});

test('nothing is found in nothing', (t) => {
  t.is(findMount('', '/'), undefined);
});
