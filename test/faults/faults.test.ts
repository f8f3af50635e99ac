import test from 'ava';
import { renderTable } from '#src/ui/table.js';
import { makeUserWithBinaries, needsRoot, removeUser } from '../ordinary-user.js';
import { succeeded } from './checks.js';
import { writeData } from './data.js';
import { endure, type Verdict } from './endure.js';
import { faults } from './faults.js';
import { select } from './selection.js';
import { createSubject, type Subject } from './subject.js';

/**
 * What a real cluster must live through: faults.ts has the list. `npm test` runs a sample, `npm run test:faults`
 * all; U7S_FAULTS_SEED picks others, in another order.
 */
const seed = Number(process.env['U7S_FAULTS_SEED'] ?? 1);
const { faults: chosen, why } = select(faults, process.env['U7S_FAULTS'], seed);
const verdicts: Verdict[] = [];
let subject: Subject;

test.before(async () => {
  console.log(`faults: ${why}; U7S_FAULTS_SEED=${seed}`);
  if (needsRoot !== undefined) return;
  subject = createSubject(await makeUserWithBinaries(`u7s-faults-${process.pid}`));
  await succeeded(subject.up());
  await writeData(subject, seed);
  await succeeded(subject.u7s(['down']));
});

test.after.always(async () => {
  if (subject === undefined) return;
  await subject.u7s(['cleanup']).ended;
  await removeUser(subject.account.name);
  console.log(table(verdicts));
});

test('the same seed has the same faults, another has others', (t) => {
  const names = (of: number): string[] => select(faults, undefined, of).faults.map(({ name }) => name);
  t.deepEqual(names(1), names(1));
  t.notDeepEqual(names(1), names(2));
});

test('each fault has a name of its own', (t) => {
  t.is(new Set(faults.map(({ name }) => name)).size, faults.length);
});

for (const fault of chosen) {
  if (needsRoot !== undefined) {
    test.serial.skip(`${fault.name} (${needsRoot})`, () => undefined);
    continue;
  }
  test.serial(fault.name, async (t) => {
    const verdict = await endure(subject, fault, seed);
    verdicts.push(verdict);
    for (const problem of verdict.problems) t.log(problem);
    t.deepEqual(verdict.problems, []);
  });
}

function table(rows: readonly Verdict[]): string {
  return renderTable(
    ['FAULT', 'OUTCOME', 'READY', 'DATA', 'PROBLEMS'],
    rows.map(({ fault, outcome, readyMs, dataIntact, problems }) => [
      fault,
      outcome.length > 60 ? `${outcome.slice(0, 60)}…` : outcome,
      Number.isNaN(readyMs) ? '-' : `${(readyMs / 1000).toFixed(1)} s`,
      dataIntact ? 'intact' : 'not intact',
      problems.length === 0 ? '-' : String(problems.length),
    ]),
  );
}
