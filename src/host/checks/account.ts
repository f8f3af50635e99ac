import { fixesOf, messageOf } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { blocked, ok, prepare, warning, type CheckDefinition } from '../check.js';
import type { Host } from '../host.js';
import {
  countSubIds,
  findSubIdOverlap,
  formatSubIds,
  neededSubIds,
  readSubIds,
  type SubIdRange,
} from '../subid.js';

export const accountChecks: CheckDefinition[] = [
  {
    id: 'ordinary-user',
    title: 'ordinary user',
    why: 'Kubernetes must never run as real root',
    atStart: true,
    look: ({ user }) =>
      user.uid === 0
        ? blocked(
            'this is root',
            u7s(['init-host'], {
              about: 'host',
              text: 'make the user usernetes, as whom root’s commands run',
            }),
          )
        : ok(`${user.name}, uid ${user.uid}`),
  },
  {
    id: 'sub-ids',
    title: 'sub-IDs',
    why: 'users inside containers are mapped to subordinate IDs of this user',
    atStart: true,
    look: ({ user }) => {
      const files: [string, SubIdRange[]][] = [
        ['/etc/subuid', user.subUids],
        ['/etc/subgid', user.subGids],
      ];
      const short = files.filter(([, ranges]) => countSubIds(ranges) < neededSubIds);
      if (short.length > 0) {
        const found = short.map(([file, ranges]) => `${countSubIds(ranges) || 'none'} in ${file}`).join(', ');
        return blocked(`${user.name} has ${found}; ${neededSubIds} are needed`, prepare);
      }
      for (const [file, ranges] of files) {
        const twice = findSubIdOverlap(ranges, () => true)?.map(formatSubIds);
        if (twice === undefined) continue;
        return blocked(
          `${file} lends ${user.name} the same IDs twice: ${twice.join(' and ')}`,
          `as root: remove one of these lines from ${file}`,
        );
      }
      return ok(`${countSubIds(user.subUids)} uids, ${countSubIds(user.subGids)} gids`);
    },
  },
  {
    id: 'sub-id-overlap',
    title: 'sub-IDs of others',
    why: 'users who share IDs can touch the files and processes of each other’s containers',
    atStart: false,
    look: async ({ host, user }) => {
      const [passwd, group] = await Promise.all([readIds(host, '/etc/passwd'), readIds(host, '/etc/group')]);
      const nameOf = (owner: string): string => passwd.find(({ id }) => id === Number(owner))?.name ?? owner;
      for (const [file, own, accounts] of [
        ['/etc/subuid', user.subUids, passwd],
        ['/etc/subgid', user.subGids, group],
      ] as const) {
        const all = await readSubIds(host, file);
        const overlap = findSubIdOverlap(all, (a, b) => nameOf(a.owner) !== nameOf(b.owner));
        if (overlap !== undefined) {
          const pair = overlap.map(formatSubIds).join(' and ');
          return warning(`${pair} overlap`, `as root: give one of them another range in ${file}`);
        }
        const inside = accounts.find(({ id }) =>
          own.some(({ start, count }) => id >= start && id < start + count),
        );
        if (inside !== undefined) {
          return warning(
            `${inside.name} has the ID ${inside.id}, which ${file} lends to ${user.name}`,
            `as root: give ${user.name} another range in ${file}`,
          );
        }
      }
      return ok('not shared with other users');
    },
  },
  {
    id: 'runtime-dir',
    title: 'runtime directory',
    why: 'its sockets control the instance, so only this user may reach them',
    atStart: true,
    look: async ({ runtimeDir }) => {
      try {
        return ok(await runtimeDir());
      } catch (error) {
        const fixes = fixesOf(error);
        return blocked(messageOf(error), ...(fixes.length > 0 ? fixes : [prepare]));
      }
    },
  },
  {
    id: 'node',
    title: 'Node.js',
    why: 'the launcher runs on it, as this user',
    atStart: false,
    look: async ({ node, host }) => {
      if ((await host.stat(node.path)) === undefined) {
        return blocked(`this user cannot reach ${node.path}`, 'install Node.js for all users, below /usr');
      }
      const [major = 0, minor = 0] = node.version.split('.').map(Number);
      const recent = major > 20 || (major === 20 && minor >= 19);
      return recent ? ok(node.version) : blocked(node.version, 'install Node.js 20.19 or newer');
    },
  },
];

/** Names and IDs of passwd(5) or group(5). */
async function readIds(host: Host, file: string): Promise<{ name: string; id: number }[]> {
  const lines = ((await host.read(file)) ?? '').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [name = '', , id] = line.split(':');
    return { name, id: Number(id) };
  });
}
