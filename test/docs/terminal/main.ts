/**
 * Draws docs/terminal.svg: starts a cluster as a user made for this, in a terminal of a fixed size, and renders what stands
 * there afterwards. As root; nothing of the cluster or the user is left.
 */
import { writeFile } from 'node:fs/promises';
import { makeUserWithBinaries, removeUser } from '../../ordinary-user.js';
import { record, type Size } from './record.js';
import { screenAfter, type Run } from './screen.js';
import { renderSvg } from './svg.js';

const picture = 'docs/terminal.svg';
const size: Size = { columns: 96, rows: 40 };

/** What a person types; each output is the real one. */
const commands = ['./run.sh -d', './kubectl.sh get nodes', './kubectl.sh get pods -A'];

const green = (words: string): string => `\x1b[32m${words}\x1b[39m`;
const bold = (words: string): string => `\x1b[1m${words}\x1b[22m`;

const account = await makeUserWithBinaries('u7s-picture');
const env = {
  PATH: process.env.PATH ?? '',
  HOME: '/root',
  U7S_USER: account.name,
  NODE_NAME: 'u7s-laptop',
};
try {
  await record('./run.sh --help', size, env); // compiles, if need be
  let session = '';
  for (const command of commands) {
    session += `${green('$')} ${bold(command)}\r\n${String(await record(command, size, env))}\r\n`;
  }
  const lines = neutral(await screenAfter(session, size));
  await writeFile(picture, renderSvg(lines, size.columns, commands.join('; ')));
} finally {
  await record('./cleanup.sh', size, env);
  await removeUser(account.name);
}

/** As it looks to the first user of a machine with systemd: nothing in the picture depends on where it was taken. */
function neutral(lines: readonly Run[][]): Run[][] {
  const startsWith = (text: string) => (runs: readonly Run[]) => runs[0]?.text.startsWith(text) === true;
  const first = lines.findIndex(startsWith('pod limits are off'));
  const next = lines.findIndex((runs, at) => at > first && startsWith('✓')(runs));
  return lines
    .filter((_, at) => first < 0 || at < first || at >= next)
    .map((runs) =>
      runs.map((run) => ({
        ...run,
        text: run.text.replace(`/run/user/${account.uid}/`, '/run/user/1000/'),
      })),
    );
}
