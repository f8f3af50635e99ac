import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ground } from './ground.js';

/** Root types `line` at a terminal of 111 columns on the control plane's host; `$u7s` is the command. */
export async function atRootsTerminal(
  { control }: Ground,
  line: string,
  env: Record<string, string> = {},
): Promise<string> {
  const [command = '', ...args] = [
    ...control.inside,
    'script',
    '-qefc',
    `stty columns 111 rows 33 -echo; ${line}`,
    '/dev/null',
  ];
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      SHELL: '/bin/bash',
      U7S_USER: control.account.name,
      u7s: `${process.execPath} ${join(process.cwd(), 'bin/u7s.js')}`,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  await once(child, 'close');
  return output.replaceAll('\r\n', '\n').trim();
}

/**
 * Has the account put a program of its own, a script for sh, in the place of the launcher that root's commands run as the
 * account. What it finds it can write to `$found`, whose content is returned with what root's terminal showed.
 */
export async function withLauncherOf<T>(
  { control, paths }: Ground,
  script: string,
  action: () => Promise<T>,
): Promise<{ result: T; found: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'u7s-found-'));
  const [program, found] = [join(folder, 'program'), join(folder, 'found')];
  await writeFile(program, script);
  await writeFile(found, '');
  for (const path of [folder, program, found]) await chown(path, control.account.uid, control.account.gid);
  await chmod(program, 0o755);
  const copies = (await readdir(paths.launchers)).filter((name) => !name.startsWith('.'));
  const entries = copies.map((copy) => join(paths.launchers, copy, 'bin/u7s.js'));
  const js = `import { spawnSync } from 'node:child_process';
const { status } = spawnSync('sh', [${JSON.stringify(program)}], { stdio: 'inherit', env: { ...process.env, found: ${JSON.stringify(found)} } });
process.exit(status ?? 1);`;
  for (const entry of entries) {
    await rename(entry, `${entry}.kept`);
    await writeFile(entry, js);
  }
  try {
    return { result: await action(), found: await readFile(found, 'utf8') };
  } finally {
    for (const entry of entries) await rename(`${entry}.kept`, entry);
    await rm(folder, { recursive: true, force: true });
  }
}
