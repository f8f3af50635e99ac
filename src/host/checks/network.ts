import { blocked, ok, prepare, warning, type CheckDefinition, type Finding } from '../check.js';
import type { Fix } from '../../lib/fixes.js';
import { moduleStates } from '../modules.js';
import type { NamespaceTrial } from '../namespace-trial.js';
import { iptablesRoom, readSysctl } from '../sysctls.js';
import { deviceFault } from './device.js';
import { containerFixes, notTried, probed } from './probed.js';
import { settings } from './settings.js';

export const networkChecks: CheckDefinition[] = [
  {
    id: 'tun',
    title: '/dev/net/tun',
    why: 'slirp4netns creates the node’s network interface with it',
    atStart: true,
    look: async ({ host, namespaceTrial }) => {
      const fault = await deviceFault(host, '/dev/net/tun');
      if (fault !== undefined) return blocked(...fault);
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return ok('can be opened');
      return faults.tap === undefined
        ? ok('created a network interface')
        : blocked(faults.tap, 'sudo modprobe tun');
    },
  },
  probed('forwarding', {
    title: 'packet forwarding',
    why: 'the node forwards packets between pods and the outside',
    probes: ['forwarding'],
    works: 'can be switched on in a network namespace',
    otherwise: (said) => blocked(said, ...containerFixes),
  }),
  probed('network-devices', {
    title: 'network devices',
    why: 'pod networks consist of a bridge and veth pairs',
    probes: ['bridge', 'veth'],
    works: 'created a bridge and a veth pair',
    otherwise: (said) => blocked(said, 'sudo modprobe -a bridge veth', 'boot your distribution’s kernel'),
  }),
  probed('vxlan', {
    title: 'vxlan',
    why: 'pods of several nodes reach each other through it; a single node does not need it',
    probes: ['vxlan'],
    works: 'created a vxlan device',
    otherwise: (said) =>
      warning(
        said,
        'sudo modprobe vxlan',
        'on a Raspberry Pi with Ubuntu: sudo apt-get install linux-modules-extra-raspi',
      ),
  }),
  {
    id: 'br-netfilter',
    title: 'br_netfilter',
    why: 'without it, a pod gets no answer from a Service whose pod is on the same node, such as cluster DNS',
    atStart: true,
    look: async ({ host, namespaceTrial }): Promise<Finding> => {
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return notTried;
      if (faults['bridge-netfilter'] === undefined) return ok('bridged packets pass the packet filter');
      switch ((await moduleStates(host, ['br_netfilter'])).br_netfilter) {
        case 'available':
          return blocked('switched off', 'sudo sysctl -w net.bridge.bridge-nf-call-iptables=1');
        case 'uninstalled':
          return blocked('the running kernel’s modules are gone, as after an upgrade', 'reboot');
        case 'missing':
          return blocked('not in this kernel', 'boot a kernel built with CONFIG_BRIDGE_NETFILTER');
        default:
          return blocked('not loaded', prepare, 'sudo modprobe br_netfilter');
      }
    },
  },
  {
    id: 'netfilter',
    title: 'packet filter',
    why: 'kube-proxy makes Services of its rules; CNI plugins make host ports and the pods’ way out',
    atStart: true,
    look: async ({ host, namespaceTrial }) => {
      const trial = await namespaceTrial();
      if (trial.refused !== undefined) return notTried;
      if (trial.netfilter === undefined) return blocked(...noFilter(trial));
      if (trial.netfilter.legacyFolder !== undefined) return ok('iptables-legacy');
      const name = trial.netfilter.backend === 'iptables' ? 'iptables' : 'nft';
      if (name === 'iptables' && (await host.run('iptables', ['--version'])).stdout.includes('legacy'))
        return ok('iptables, legacy variant');
      const room = Number((await readSysctl(host, 'net.core.wmem_default')) ?? 0);
      const found = `${name}, on nf_tables; ${services(room)}`;
      return room >= iptablesRoom
        ? ok(found)
        : warning(found, prepare, `sudo sysctl -w net.core.wmem_default=${iptablesRoom}`);
    },
  },
  settings({
    id: 'ping-group-range',
    title: 'ping from pods',
    why: 'slirp4netns forwards pings through ICMP sockets, which only a range of groups may open',
    keys: ['net.ipv4.ping_group_range'],
  }),
  {
    id: 'low-ports',
    title: 'low ports',
    why: 'this user publishes NodePort Services and host ports of pods on the host',
    atStart: false,
    look: async ({ host }) => {
      const first = Number((await readSysctl(host, 'net.ipv4.ip_unprivileged_port_start')) ?? 1024);
      const found = `ports from ${first} on can be published`;
      return first <= 1024
        ? ok(found)
        : warning(found, 'sudo sysctl -w net.ipv4.ip_unprivileged_port_start=1024');
    },
  },
];

function noFilter({ faults }: NamespaceTrial): [found: string, ...fixes: Fix[]] {
  const said = `iptables: ${faults.iptables}; nft: ${faults.nft}`;
  // SELinux and the like deny it even to the namespace's root.
  if (/xtables\.lock.*denied/i.test(said))
    return [said, 'where SELinux is enforcing: sudo semanage permissive --add iptables_t'];
  return [said, prepare, 'sudo modprobe -a ip_tables iptable_nat nf_tables'];
}

/** Measured: the rules of fifty Services fill 208 KiB. */
function services(room: number): string {
  return `a message of ${Math.floor(room / 1024)} KiB holds the rules of about ${Math.floor((room * 50) / (208 * 1024))} Services`;
}
