import { join } from 'node:path';
import { u7s } from '../../lib/fixes.js';
import { evictionBytes, evictionText } from '../disk.js';
import { blocked, ok, unknown, warning, type CheckDefinition } from '../check.js';
import type { Host } from '../host.js';
import { findMount } from '../../lib/mounts.js';
import { systemdFolder } from '../systemd.js';

const GiB = 2 ** 30;

/** Below this, the binaries and images of a first start would bring the node under DiskPressure. */
const leastSpace = 2 * evictionBytes;
/** To build binaries on this host takes about 10 GiB of Go's caches. */
const comfortableSpace = 12 * GiB;
/** Somebody else's process, whose name the kernel does not show us. */
const unseen = 'another program';

const networkFileSystems = /^(nfs|nfs4|cifs|smb3|9p|afs|ceph|fuse\.sshfs|lustre)$/;

export const resourceChecks: CheckDefinition[] = [
  {
    id: 'home',
    title: 'home file system',
    why: 'binaries are executed from there, and etcd and images need a local disk',
    atStart: true,
    look: async ({ host, dataHome, stateHome }) => {
      const mounts = (await host.read('/proc/self/mountinfo')) ?? '';
      const data = findMount(mounts, dataHome);
      const state = findMount(mounts, stateHome);
      if (data?.options.includes('noexec')) {
        return blocked(
          `${data.point} is mounted noexec`,
          'set XDG_DATA_HOME to a folder on a file system without noexec',
        );
      }
      if (state !== undefined && networkFileSystems.test(state.type)) {
        return warning(
          `${state.point} is ${state.type}`,
          'set XDG_STATE_HOME to a folder on a local file system',
        );
      }
      return ok(state === undefined ? 'local' : `${state.type} on ${state.point}`);
    },
  },
  {
    id: 'home-folders',
    title: 'data and state folders',
    why: 'binaries, certificates, etcd and images are kept there',
    atStart: true,
    look: async ({ host, user, dataHome, stateHome }) => {
      const folders = [dataHome, stateHome].map((home) => host.closedFolder(join(home, 'usernetes')));
      const closed = [...new Set(await Promise.all(folders))].filter((folder) => folder !== undefined);
      if (closed.length === 0) return ok(`${dataHome}, ${stateHome}`);
      return blocked(
        `${user.name} cannot write in ${closed.join(', ')}`,
        `as root: chown ${user.name} ${closed.join(' ')}`,
        'set XDG_DATA_HOME and XDG_STATE_HOME to folders of your own',
      );
    },
  },
  {
    id: 'disk-space',
    title: 'disk space',
    why: `binaries, images and etcd’s data lie in the home; below ${evictionText} free (DiskPressure) the kubelet evicts pods and no others are scheduled`,
    atStart: true,
    look: async ({ host, dataHome, stateHome }) => {
      const spaces = await Promise.all([...new Set([dataHome, stateHome])].map((path) => host.space(path)));
      const { available, total } = spaces.reduce((least, each) =>
        each.available < least.available ? each : least,
      );
      const found = `${(available / GiB).toFixed(1)} of ${(total / GiB).toFixed(0)} GiB free`;
      const fixes = ['free space', 'set XDG_DATA_HOME and XDG_STATE_HOME to folders on a larger disk'];
      if (available < leastSpace) return blocked(found, ...fixes);
      return available < comfortableSpace ? warning(found, ...fixes) : ok(found);
    },
  },
  {
    id: 'api-port',
    title: 'port of the Kubernetes API',
    why: 'kubectl on this host connects to it',
    atStart: true,
    look: async ({ host, api }) => {
      if (api === undefined)
        return ok('in use by this instance, which is running, or on its control plane’s host');
      const where = `${api.address}:${api.port}`;
      const fault = await host.listenFault(api.address, api.port);
      switch (fault) {
        case undefined:
          return ok(`${where} is free`);
        case 'EADDRINUSE': {
          const holder = (await host.portHolder(api.address, api.port)) ?? unseen;
          return blocked(
            `${where} is taken by ${holder}`,
            `end ${holder === unseen ? 'it' : holder}`,
            `take another port: --api-port ${api.port + 1}`,
          );
        }
        case 'EACCES':
          return blocked(
            `${where} is a port that the kernel reserves for root`,
            'take a higher one: --api-port 6443',
            `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${api.port}`,
          );
        case 'EADDRNOTAVAIL':
          return blocked(
            `this host has no address ${api.address}`,
            'take one of its addresses, which this lists: ip -brief address',
          );
        default:
          return blocked(`cannot listen on ${where} (${fault})`, 'take another port: --api-port 6444');
      }
    },
  },
  {
    id: 'swap',
    title: 'swap',
    why: 'it can write Secrets in the memory of pods to a disk, which a user namespace cannot prevent',
    atStart: false,
    look: async ({ host }) => {
      const areas = ((await host.read('/proc/swaps')) ?? '').trim().split('\n').slice(1);
      const named = areas.map((line) => line.split(/\s/)[0] ?? '');
      const open = await Promise.all(
        named.map(async (area) => ((await keepsSecrets(host, area)) ? [] : [area])),
      );
      if (open.flat().length > 0)
        return warning(
          `on ${open.flat().join(', ')}, not encrypted`,
          `sudo swapoff ${open.flat().join(' ')}`,
          'encrypt it',
        );
      return ok(named.length === 0 ? 'off' : `${named.join(', ')}, in memory or encrypted`);
    },
  },
  {
    id: 'clock',
    title: 'clock',
    why: 'certificates and tokens are valid for a time only, on which all nodes must agree',
    atStart: true,
    look: async ({ host, node, now }) => {
      const shown = new Date(now).toISOString().replace(/\.\d+/, '');
      const built = (await host.stat(node.path))?.mtimeMs ?? 0;
      if (built > now + 24 * 60 * 60 * 1000)
        return blocked(
          `${shown}, which is before Node.js was installed`,
          'sudo timedatectl set-ntp true',
          'sudo date --set=TIME',
        );
      return ok(shown);
    },
  },
  {
    id: 'clock-sync',
    title: 'time service',
    why: 'the clocks of all nodes must agree',
    atStart: false,
    look: async ({ host }) => {
      if ((await host.stat(systemdFolder)) === undefined) return unknown('only systemd reports it');
      const { stdout } = await host.run('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
      return stdout.trim() === 'no'
        ? warning('the clock is not synchronized', 'sudo timedatectl set-ntp true')
        : ok('the clock is synchronized');
    },
  },
  {
    id: 'docker-socket',
    title: 'docker socket',
    why: 'dockerd listens there, and would take it from another engine',
    atStart: true,
    look: async ({ host, dockerSocket }) => {
      if (dockerSocket === undefined) return ok('not needed');
      switch (await host.unixSocket(dockerSocket)) {
        case 'free':
          return ok(`${dockerSocket} is free`);
        case 'served':
          return blocked(
            `another engine listens on ${dockerSocket}`,
            'end it: systemctl --user stop docker',
            u7s(['--cluster', 'NAME', 'up', 'default-docker'], {
              text: 'start an instance with a socket of its own',
            }),
          );
        case 'not a socket':
          return blocked(`${dockerSocket} is not a socket of this user`, `rm ${dockerSocket}`);
      }
    },
  },
];

/** Whether a swap area is compressed memory or a dm-crypt device. */
async function keepsSecrets(host: Host, area: string): Promise<boolean> {
  const device = area.replace(/^\/dev\//, '');
  if (device.startsWith('zram')) return true;
  return ((await host.read(`/sys/block/${device}/dm/uuid`)) ?? '').startsWith('CRYPT-');
}
