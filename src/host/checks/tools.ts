import { blocked, ok, type CheckDefinition } from '../check.js';
import { installFixes, type neededPrograms } from '../packages.js';

const programs: { program: keyof typeof neededPrograms; why: string }[] = [
  { program: 'slirp4netns', why: 'it is the node’s network: a TCP/IP stack in user mode' },
  { program: 'iptables', why: 'kube-proxy makes Services of its rules, CNI plugins host ports' },
  { program: 'ip', why: 'it sets up the interfaces inside the namespaces' },
  { program: 'mount', why: 'it sets up the file systems inside the namespaces' },
  { program: 'nsenter', why: 'it enters the namespaces, for kubectl and shell' },
];

export const toolChecks: CheckDefinition[] = programs.map(({ program, why }) => ({
  id: program,
  title: program,
  why,
  atStart: true,
  look: async ({ host }) => {
    const path = await host.which(program);
    return path === undefined ? blocked('not installed', ...(await installFixes(host, program))) : ok(path);
  },
}));
