import type { Command } from 'commander';
import { doctor } from '../../instance/doctor.js';
import type { Cli } from '../command.js';
import { checksText } from '../doctor/checks-text.js';
import { selectedPaths } from '../globals.js';
import { fixText } from '../typist.js';

export type DoctorFlags = { output?: 'json'; apiPort: number };

export async function run(cli: Cli, command: Command, { output, apiPort }: DoctorFlags): Promise<void> {
  const { io, signal } = cli;
  const paths = await selectedPaths(cli, command).catch(() => undefined);
  const checks = await doctor({ env: io.env, paths, signal }, { apiPort });
  if (checks.some(({ status }) => status === 'blocked')) cli.exitCode = 1;
  io.stdout.write(
    output === 'json'
      ? `${JSON.stringify(checks, null, 2)}\n`
      : checksText(checks, io.stdout.isTTY === true, (fix) => fixText(cli, fix)),
  );
}
