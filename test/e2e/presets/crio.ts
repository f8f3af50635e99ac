import { sh } from '../shell.js';

/** A CRI-O to test with where none can be downloaded and the host has none. */
const given = process.env['U7S_TEST_CRIO'];

export const crioUp: readonly string[] = given === undefined ? [] : ['--artifact', `crio=${given}`];

/** Why CRI-O cannot be tested here, in the words that its start would have; undefined when it can. */
export async function crioLacking(): Promise<string | undefined> {
  if (given !== undefined) return undefined;
  const { stderr } = await sh('bin/u7s.js', ['artifacts', 'fetch', 'crio']);
  const [, reason] = /^error\[artifact-unavailable\]: (.*crio.*)$/m.exec(stderr) ?? [];
  return reason === undefined ? undefined : `${reason}; U7S_TEST_CRIO=PATH gives one`;
}
