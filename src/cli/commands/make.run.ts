import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { ownAddress } from '../../host/own-address.js';
import { writeFileAtomic } from '../../lib/atomic-file.js';
import { errnoOf, U7sError } from '../../lib/errors.js';
import { run as runProgram } from '../../lib/exec.js';
import { defaultNodeName } from '../../settings/node-name.js';
import { renderTable } from '../../ui/table.js';
import { rewritten } from '../as-root/checked-output.js';
import type { Cli } from '../command.js';
import { gen2Verbs, planGen2, type Gen2Settings, type Gen2Step, type Gen2Verb } from '../make/gen2.js';
import { passThrough } from '../pass-through.js';

type Command = Exclude<Gen2Step, { say: string }>;

export async function run(cli: Cli, verb: Gen2Verb | 'help'): Promise<void> {
  if (verb === 'help') {
    const rows = Object.entries(gen2Verbs).map(([name, does]) => [`make ${name}`, does]);
    return void cli.io.stdout.write(renderTable(['type', 'to'], rows));
  }
  for (const step of planGen2(verb, settingsOf(cli))) {
    if ('say' in step) cli.io.stderr.write(`${step.say}\n`);
    else if (await isWanted(step)) cli.exitCode = await execute(cli, step, verb);
    if (cli.exitCode !== 0) return;
  }
}

const variableNames = ['NODE_SUBNET', 'PORT_KUBE_APISERVER', 'PORT_KUBELET', 'PORT_FLANNEL', 'PORT_ETCD'];

function settingsOf({ io, projectRoot }: Cli): Gen2Settings {
  const { env, cwd, stdin } = io;
  const engine = env['CONTAINER_ENGINE'];
  return {
    ...(engine ? { engine } : {}),
    node: env['NODE_NAME'] || defaultNodeName(hostname()),
    image: env['U7S_IMAGE'] || 'usernetes',
    projectRoot,
    cwd,
    hostIp: env['HOST_IP'] || ownAddress() || '127.0.0.1',
    ports: {
      api: env['PORT_KUBE_APISERVER'] || '6443',
      kubelet: env['PORT_KUBELET'] || '10250',
      flannel: env['PORT_FLANNEL'] || '8472',
    },
    variables: Object.fromEntries(variableNames.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    isTTY: stdin.isTTY === true,
  };
}

async function isWanted({ unless, onlyIf }: Command): Promise<boolean> {
  const succeeds = async ([program = '', ...args]: string[]): Promise<boolean> =>
    (await runProgram(program, args)).exitCode === 0;
  if (unless !== undefined && (await succeeds(unless))) return false;
  return onlyIf === undefined || succeeds(onlyIf);
}

async function execute(cli: Cli, { argv, from, to }: Command, verb: Gen2Verb): Promise<number> {
  const [command = '', ...args] = argv;
  if (from === undefined && to === undefined) {
    return passThrough({ command, args, env: cli.io.env });
  }
  const input = from === undefined ? undefined : await open(from).catch(unreadable(from));
  try {
    const stdin = input?.fd ?? 'inherit';
    const child = spawn(command, args, {
      stdio: [stdin, to === undefined ? 'inherit' : 'pipe', 'inherit'],
      env: cli.io.env,
    });
    const printed = child.stdout === null ? '' : text(child.stdout);
    const [code] = (await once(child, 'close')) as [number | null];
    if (to !== undefined && code === 0) await writeFileAtomic(to, await rewritten(verb, await printed));
    return code ?? 1;
  } finally {
    await input?.close();
  }
}

function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new U7sError('no-join-file', `there is no ${path}`, {
      fixes: ['on the control plane: make join-command; then copy that file here'],
      cause: error,
    });
  };
}
