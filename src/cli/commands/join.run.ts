import type { Command } from 'commander';
import { join, type JoinRequest } from '../../instance/join.js';
import { UsageError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { stayOrDetach, tellReady } from '../keep-up.js';
import { instanceTypist } from '../typist.js';
import type { Flags } from '../../settings/flags.js';
import type { RuntimeName } from '../../settings/runtime-names.js';

export type JoinFlags = Flags & {
  token?: string;
  discoveryTokenCaCertHash?: string;
  joinFile?: string;
  foreground?: boolean;
  runtime?: RuntimeName;
  timeout?: number;
};

export async function run(
  cli: Cli,
  command: Command,
  endpoint: string | undefined,
  flags: JoinFlags,
): Promise<void> {
  const { foreground = false, runtime = 'containerd', timeout: timeoutMs } = flags;
  const by = invitationOf(cli, endpoint, flags);
  await withInstance(cli, command, async (context) => {
    const result = await join(context, { by, runtime, flags, timeoutMs });
    const { joined } = result;
    if (joined === undefined) await tellReady(cli, context, result, foreground);
    else cli.io.stdout.write(joinedText(cli, joined));
    await stayOrDetach(context, result, { foreground });
  });
}

/** What the command line says, or the file that it names. */
function invitationOf(
  cli: Cli,
  endpoint: string | undefined,
  { token, discoveryTokenCaCertHash: caHash, joinFile }: JoinFlags,
): JoinRequest['by'] {
  if (joinFile !== undefined) return { file: joinFile, stdin: cli.io.stdin };
  if (endpoint !== undefined && token !== undefined && caHash !== undefined)
    return { endpoint, token, caHash };
  throw new UsageError(
    'invitation-missing',
    'join takes HOST:PORT, --token and --discovery-token-ca-cert-hash, or --join-file',
    u7s(['join-command'], { on: 'control-plane', text: 'paste the whole line that it prints' }),
  );
}

function joinedText(
  cli: Cli,
  { nodeName, controlPlane }: { nodeName: string; controlPlane: string },
): string {
  const typed = instanceTypist(cli);
  const lines = [
    [typed(['down']), `stops it; ${typed(['up'])} starts it again`],
    [typed(['leave']), 'takes it out of the cluster, and removes its data'],
  ];
  const width = Math.max(...lines.map(([line = '']) => line.length));
  const next = lines.map(([line = '', meaning]) => `  ${line.padEnd(width)}   ${meaning}\n`).join('');
  return `node ${nodeName} has joined ${controlPlane} and is Ready\n\n${next}`;
}
