import { blocked, ok, prepareFix, warning, type CheckDefinition, type Finding } from '../check.js';
import { moduleStates } from '../modules.js';
import type { NamespaceTrial } from '../namespace-trial.js';
import { iptablesRoom, readSysctl } from '../sysctls.js';
import { containerFix, notTried, probed } from './probed.js';
import { settings } from './settings.js';

export const networkChecks: CheckDefinition[] = [
  {
    id: 'tun',
    title: '/dev/net/tun',
    why: 'slirp4netns makes the node’s network interface with it',
    atStart: true,
    look: async ({ host, namespaceTrial }) => {
      const fault = await host.openFault('/dev/net/tun');
      if (fault === 'ENOENT') return blocked('does not exist', prepareFix);
      if (fault !== undefined)
        return blocked(`cannot be opened (${fault})`, `${prepareFix} (or: sudo chmod 0666 /dev/net/tun)`);
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return ok('opens');
      return faults.tap === undefined
        ? ok('made a network interface')
        : blocked(faults.tap, 'sudo modprobe tun');
    },
  },
  probed('forwarding', {
    title: 'forwarding of packets',
    why: 'the node forwards between pods and the outside',
    probes: ['forwarding'],
    works: 'can be switched on in a network namespace',
    otherwise: (said) => blocked(said, containerFix),
  }),
  probed('network-devices', {
    title: 'network devices',
    why: 'pods’ networks are made of a bridge and veth pairs',
    probes: ['bridge', 'veth'],
    works: 'made a bridge and a veth pair',
    otherwise: (said) =>
      blocked(said, 'sudo modprobe -a bridge veth; where that fails, boot your distribution’s kernel'),
  }),
  probed('vxlan', {
    title: 'vxlan',
    why: 'pods of several nodes reach each other through it; one node does without',
    probes: ['vxlan'],
    works: 'made a vxlan device',
    otherwise: (said) =>
      warning(said, 'sudo modprobe vxlan; on a Raspberry Pi with Ubuntu it is in linux-modules-extra-raspi'),
  }),
  {
    id: 'br-netfilter',
    title: 'br_netfilter',
    why: 'without it a pod gets no answer from a Service whose pod is on the same node, cluster DNS for one',
    atStart: true,
    look: async ({ host, namespaceTrial }): Promise<Finding> => {
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return notTried;
      if (faults['bridge-netfilter'] === undefined) return ok('in force on bridges');
      switch ((await moduleStates(host, ['br_netfilter'])).br_netfilter) {
        case 'available':
          return blocked('switched off', 'sudo sysctl -w net.bridge.bridge-nf-call-iptables=1');
        case 'uninstalled':
          return blocked('the modules of the running kernel are gone, as after an upgrade', 'reboot');
        case 'missing':
          return blocked('not in this kernel', 'boot a kernel built with CONFIG_BRIDGE_NETFILTER');
        default:
          return blocked('not loaded', `${prepareFix} (or: sudo modprobe br_netfilter)`);
      }
    },
  },
  {
    id: 'netfilter',
    title: 'packet filter',
    why: 'kube-proxy makes Services of its rules, the CNI plugins the way of pods to the outside and their host ports',
    atStart: true,
    look: async ({ host, namespaceTrial }) => {
      const trial = await namespaceTrial();
      if (trial.refused !== undefined) return notTried;
      if (trial.netfilter === undefined) return blocked(...noFilter(trial));
      if (trial.netfilter.legacyFolder !== undefined) return ok('iptables-legacy');
      const name = trial.netfilter.backend === 'iptables' ? 'iptables' : 'nft';
      if (name === 'iptables' && (await host.run('iptables', ['--version'])).stdout.includes('legacy'))
        return ok('iptables, a legacy one');
      const room = Number((await readSysctl(host, 'net.core.wmem_default')) ?? 0);
      const found = `${name}, on nf_tables; ${services(room)}`;
      return room >= iptablesRoom
        ? ok(found)
        : warning(found, `${prepareFix} (or: sudo sysctl -w net.core.wmem_default=${iptablesRoom})`);
    },
  },
  settings({
    id: 'ping-group-range',
    title: 'ping from pods',
    why: 'slirp4netns passes pings on by ICMP sockets that are open to a range of groups',
    keys: ['net.ipv4.ping_group_range'],
  }),
  {
    id: 'low-ports',
    title: 'low ports',
    why: 'NodePort Services and host ports of pods are published on the host by this user',
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

function noFilter({ faults }: NamespaceTrial): [found: string, fix: string] {
  const said = `iptables: ${faults.iptables}; nft: ${faults.nft}`;
  // SELinux and the like keep even the namespace's root from it.
  if (/xtables\.lock.*denied/i.test(said))
    return [said, 'where SELinux is enforcing: sudo semanage permissive --add iptables_t'];
  return [said, `${prepareFix} (or: sudo modprobe -a ip_tables iptable_nat nf_tables)`];
}

/** Measured: the rules of fifty Services fill 208 KiB. */
function services(room: number): string {
  return `its messages of ${Math.floor(room / 1024)} KiB hold the rules of about ${Math.floor((room * 50) / (208 * 1024))} Services`;
}
