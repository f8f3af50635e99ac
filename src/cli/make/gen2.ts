import { join } from 'node:path';

/** The verbs of the second Usernetes' Makefile, which was a node in a container, with what each does here. */
export const gen2Verbs = {
  up: 'have a node ready; start it where it was made before',
  down: 'stop the node; its data stays',
  'down-v': 'remove the node with its data',
  'kubeadm-init': 'make the node the control plane of a new cluster',
  'install-flannel': 'nothing: Flannel is a service of each node',
  kubeconfig: 'write the administrator’s kubeconfig to ./kubeconfig',
  'join-command': 'write the line by which other hosts join to ./join-command',
  'kubeadm-join': 'join by the line in ./join-command, or start again what has joined',
  'sync-external-ip': 'nothing: nodes are known by their hosts’ addresses; show them',
  'kubeadm-reset': 'empty the node; one that has joined leaves its cluster',
  logs: 'follow what the node’s services say',
  shell: 'run a shell in the node’s namespaces',
} as const;

export type Gen2Verb = keyof typeof gen2Verbs;

export type Gen2Settings = {
  /** `docker`, `podman` or `nerdctl`: the node runs in a container. Undefined: natively. */
  engine?: string;
  /** Name of the container, of its volume and of the node. */
  node: string;
  image: string;
  /** The checkout. */
  projectRoot: string;
  /** Where files are written and read. */
  cwd: string;
  /** Address of this host for others; given by HOST_IP or, for a new control plane, chosen. */
  hostIp: string;
  ports: { api: string; kubelet: string; flannel: string };
  /** Of Gen2's variables those that are set, for a container. */
  variables: Readonly<Record<string, string>>;
  /** Whether a person types. */
  isTTY: boolean;
};

/** One command, or something to say. */
export type Gen2Step =
  | { say: string }
  | {
      argv: string[];
      /** File that is read by the command, or that gets what it prints. */
      from?: string;
      to?: string;
      /** A command by whose success it is seen that this one has no work, or that it has. */
      unless?: string[];
      onlyIf?: string[];
    };

/** In the container: `VOLUME` of the Dockerfile. */
export const stateFolder = '/home/usernetes/.local/state';

export function planGen2(verb: Gen2Verb, settings: Gen2Settings): Gen2Step[] {
  const { cwd, engine, hostIp } = settings;
  const u7s = (...words: string[]): string[] => [...inNode(settings, []), ...words];
  const hostFlag = engine === undefined ? ['--host-ip', hostIp] : [];
  switch (verb) {
    case 'up':
      return engine === undefined ? [{ argv: u7s('standby') }] : startContainer(engine, settings);
    case 'down':
      return engine === undefined ? [{ argv: u7s('down') }] : removeContainer(engine, settings);
    case 'down-v':
      return engine === undefined
        ? [{ argv: u7s('cleanup') }]
        : [...removeContainer(engine, settings), removeVolume(engine, settings)];
    case 'kubeadm-init':
      return [{ argv: u7s('up', 'default-containerd', '-d', ...hostFlag) }];
    case 'install-flannel':
      return [
        { argv: u7s('status') },
        { say: 'Flannel is a service of each node: nothing is left to install' },
      ];
    case 'kubeconfig':
      return [
        { argv: u7s('kubeconfig'), to: join(cwd, 'kubeconfig') },
        { say: 'export KUBECONFIG=$(pwd)/kubeconfig' },
      ];
    case 'join-command':
      return [
        // Gen2's line was kubeadm's, which any number of hosts could use.
        { argv: u7s('join-command', '--reusable'), to: join(cwd, 'join-command') },
        {
          say: 'copy ./join-command to the other host; there: make up kubeadm-join; then here: make sync-external-ip',
        },
      ];
    case 'kubeadm-join':
      return [
        { argv: [...inNode(settings, ['-i']), 'join', '--join-file', '-'], from: join(cwd, 'join-command') },
      ];
    case 'sync-external-ip':
      return [
        { argv: u7s('kubectl', 'get', 'nodes', '-o', 'wide') },
        { say: 'each node is known by the address of its host: nothing is left to synchronize' },
      ];
    case 'kubeadm-reset':
      return [{ argv: u7s('reset') }];
    case 'logs':
      return [{ argv: u7s('logs', '-f') }];
    case 'shell':
      return [{ argv: [...inNode(settings, settings.isTTY ? ['-it'] : ['-i']), 'shell'] }];
  }
}

function inNode({ engine, node, projectRoot }: Gen2Settings, flags: string[]): string[] {
  if (engine === undefined) return [process.execPath, join(projectRoot, 'bin/u7s.js')];
  return [engine, 'exec', ...flags, node, 'u7s'];
}

function startContainer(engine: string, settings: Gen2Settings): Gen2Step[] {
  const { node, image, projectRoot, hostIp, ports, variables } = settings;
  const published = [...new Set([hostIp, '127.0.0.1']).values()].map(
    (address) => `${address}:${ports.api}:${ports.api}`,
  );
  const environment = { ...variables, NODE_NAME: node, HOST_IP: hostIp };
  const run = [
    ...[engine, 'run', '-d', '--privileged', '--restart', 'unless-stopped'],
    ...['--name', node, '--hostname', node, '--volume', `${node}:${stateFolder}`],
    ...[
      ...published,
      `${hostIp}:${ports.kubelet}:${ports.kubelet}`,
      `${hostIp}:${ports.flannel}:${ports.flannel}/udp`,
    ].flatMap((port) => ['-p', port]),
    ...Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...[image, 'standby', '--wait'],
  ];
  return [
    { argv: [engine, 'build', '-t', image, projectRoot] },
    { argv: run, unless: exists(engine, settings) },
    { argv: [engine, 'start', node] },
  ];
}

function removeContainer(engine: string, settings: Gen2Settings): Gen2Step[] {
  const { node } = settings;
  return [
    // Longer than a node takes to stop in order.
    { argv: [engine, 'stop', '-t', '60', node], onlyIf: exists(engine, settings) },
    { argv: [engine, 'rm', node], onlyIf: exists(engine, settings) },
  ];
}

function removeVolume(engine: string, { node }: Gen2Settings): Gen2Step {
  return { argv: [engine, 'volume', 'rm', node], onlyIf: [engine, 'volume', 'inspect', node] };
}

const exists = (engine: string, { node }: Gen2Settings): string[] => [engine, 'container', 'inspect', node];
