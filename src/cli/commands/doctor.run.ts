import type { Command } from 'commander';
import { doctor } from '../../instance/doctor.js';
import type { Fix } from '../../lib/fixes.js';
import type { Cli } from '../command.js';
import { checksJson, checksText } from '../doctor/checks-text.js';
import { selectedPaths } from '../globals.js';
import { fixText } from '../typist.js';

export type DoctorFlags = { output?: 'json'; apiPort: number };

export async function run(cli: Cli, command: Command, { output, apiPort }: DoctorFlags): Promise<void> {
  const { io, signal } = cli;
  const paths = await selectedPaths(cli, command).catch(() => undefined);
  const checks = await doctor(
    { env: io.env, projectRoot: cli.projectRoot, paths, signal, report: () => undefined },
    { apiPort },
  );
  if (checks.some(({ status }) => status === 'blocked')) cli.exitCode = 1;
  const textOf = (fix: Fix): string => fixText(cli, fix);
  io.stdout.write(
    output === 'json' ? checksJson(checks, textOf) : checksText(checks, io.stdout.isTTY === true, textOf),
  );
}
