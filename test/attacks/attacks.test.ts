import test from 'ava';
import { messageOf } from '#src/lib/errors.js';
import { renderTable } from '#src/ui/table.js';
import { needsRoot } from '../ordinary-user.js';
import { attacks, doors } from './attacks.js';
import { makeGround, type Ground } from './ground.js';
import { select } from './selection.js';

/**
 * What others try on a real cluster of several hosts: tables/ has the list. `npm test` runs one attack of each kind,
 * `npm run test:attacks` all. Before the attacks of a kind, its door is opened the rightful way.
 */
const { attacks: chosen, why } = select(attacks, process.env['U7S_ATTACKS']);
const chosenKinds = new Set(chosen.map(({ kind }) => kind));
const rows: string[][] = [];
let ground: Ground | undefined;

test.before(async (t) => {
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  console.log(`attacks: ${why}`);
  if (needsRoot === undefined) ground = await makeGround();
});

test.after.always(async () => {
  await ground?.end();
  console.log(renderTable(['POSITION', 'ATTACK', 'OUTCOME', 'HELD'], rows));
});

test('each attack has a name of its own, and each door attacks', (t) => {
  const names = attacks.map(({ name }) => name);
  t.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
  const kinds = new Set(attacks.map(({ kind }) => kind));
  t.deepEqual(
    doors.filter(({ kind }) => !kinds.has(kind)).map(({ name }) => name),
    [],
  );
});

const serial = needsRoot === undefined ? test.serial : test.serial.skip;
for (const { kind, name, opens, open } of doors.filter((door) => chosenKinds.has(door.kind))) {
  serial(`the door: ${kind}: ${name}`, async (t) => {
    t.regex(await outcomeOf(opens), open);
  });
}
for (const { position, kind, name, held, attempt } of chosen) {
  serial(`${position}: ${kind}: ${name}`, async (t) => {
    const outcome = await outcomeOf(attempt);
    rows.push([position, name, shortened(outcome), held.test(outcome) ? 'yes' : 'NO']);
    t.log(outcome);
    t.regex(outcome, held);
  });
}

/** An attempt that cannot be made has not been held off. */
async function outcomeOf(attempt: (ground: Ground) => Promise<string>): Promise<string> {
  if (ground === undefined) throw new Error('there is no ground');
  try {
    return await attempt(ground);
  } catch (error) {
    throw new Error(`the attempt could not be made: ${messageOf(error)}`, { cause: error });
  }
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
