import { messageOf } from '#src/lib/errors.js';
import {
  hasHappened,
  remains,
  isShown,
  shown,
  startedInVain,
  stopped,
  succeeded,
  survivors,
  whole,
} from './checks.js';
import { damages, whileWriting } from './data.js';
import type { Fault, Mend } from './fault.js';
import { running } from './leftovers.js';
import { limitMs, type Subject } from './subject.js';
import { runsPods } from './workload.js';

/** What came of a fault; without problems all is as it must be. */
export type Verdict = {
  fault: string;
  /** `healed`, `refused: <error>` … */
  outcome: string;
  /** From the strike, its mending or the start after it until the cluster was Ready. */
  readyMs: number;
  dataIntact: boolean;
  problems: string[];
};

/**
 * Has the cluster suffer a fault, and looks whether what must hold after each of them does: it is Ready in time, or says
 * why not and how to mend that; every acknowledged write is there; pods can be run; after a stop nothing is left.
 */
export async function endure(subject: Subject, fault: Fault, seed: number): Promise<Verdict> {
  const problems: string[] = [];
  const note: Note = (...found) => void problems.push(...found);
  const mending = createMending();
  let course: Course = { outcome: 'failed', readyMs: NaN };
  let dataIntact = false;
  try {
    course = await courses[fault.strikes](subject, fault as never, mending, note);
    await mending.mend();
    const lost = await damages(subject, seed);
    dataIntact = lost.length === 0;
    note(...lost, ...(await runsPods(subject)));
  } catch (error) {
    note(messageOf(error));
  }
  await mending.mend().catch((error: unknown) => note(messageOf(error)));
  note(...(await stopped(subject)));
  return { fault: fault.name, ...course, dataIntact, problems };
}

type Course = Pick<Verdict, 'outcome' | 'readyMs'>;
type Note = (...problems: string[]) => void;
type Mending = ReturnType<typeof createMending>;

/** Mends at most once, whatever the course of things. */
function createMending() {
  let owed: Mend | undefined;
  return {
    owe: (mend: Mend | void): void => void (owed = mend ?? undefined),
    /** Whether there was something to mend. */
    async mend(): Promise<boolean> {
      const mend = owed;
      owed = undefined;
      await mend?.();
      return mend !== undefined;
    },
  };
}

type Of<Strikes> = Fault & { strikes: Strikes };

async function whileRunning(
  subject: Subject,
  fault: Of<'running'>,
  mending: Mending,
  note: Note,
): Promise<Course> {
  const started = subject.up(fault.start);
  await (fault.start?.foreground ? started.said(/is ready after/) : succeeded(started));
  const before = await whole(subject);
  const old = await subject.processes();
  const readyMs = await whileWriting(subject, note, async () => {
    let begin = performance.now();
    mending.owe(await fault.strike(subject));
    if (isShown(fault.effect)) {
      note(...(await shown(subject, before, fault.effect)));
      begin = performance.now();
      await mending.mend();
    }
    if (fault.effect === 'ended') {
      note(...(await remains(subject, running)));
      begin = performance.now();
      await succeeded(subject.up());
    }
    const after = await whole(subject, (now) => hasHappened(fault.effect, before, now));
    note(...startedInVain(fault.effect, before, after));
    return performance.now() - begin;
  });
  if (readyMs > limitMs) note(`it was Ready only after ${Math.round(readyMs / 1000)} s`);
  if (fault.effect === 'rebuilt' || fault.effect === 'lost') {
    const tree = old.filter(({ title }) => title !== 'the launcher' && title !== 'the command');
    note(...(await survivors(subject, tree)));
  }
  return { outcome: 'healed', readyMs };
}

async function whileStarting(
  subject: Subject,
  fault: Of<'starting'>,
  mending: Mending,
  note: Note,
): Promise<Course> {
  const started = subject.up();
  await started.said(fault.at);
  const begin = performance.now();
  mending.owe(await fault.strike(subject));
  const { exitCode, stderr } = await started.ended;
  if (exitCode === 0) {
    await whole(subject);
    return { outcome: 'healed', readyMs: performance.now() - begin };
  }
  const outcome = refusal(stderr, exitCode, note);
  const took = performance.now() - begin;
  if (took > limitMs) note(`it took ${Math.round(took / 1000)} s to fail`);
  await mending.mend();
  note(...(await leftBy(outcome, subject)));
  return { outcome, readyMs: await startAgain(subject) };
}

async function whileStopping(
  subject: Subject,
  fault: Of<'stopping'>,
  mending: Mending,
  note: Note,
): Promise<Course> {
  await succeeded(subject.up());
  const stopping = subject.u7s(['--verbose', 'down']);
  await stopping.said(fault.at);
  mending.owe(await fault.strike(subject));
  const { exitCode, stderr } = await stopping.ended;
  const outcome = exitCode === 0 ? 'stopped' : refusal(stderr, exitCode, note);
  await mending.mend();
  note(...(await leftBy(outcome, subject)));
  return { outcome, readyMs: await startAgain(subject) };
}

async function whileStopped(
  subject: Subject,
  fault: Of<'stopped'>,
  mending: Mending,
  note: Note,
): Promise<Course> {
  mending.owe(await fault.strike(subject));
  const begin = performance.now();
  const { exitCode, stderr } = await subject.up(fault.start).ended;
  if (exitCode === 0) {
    if (fault.refusal !== undefined) note('it was not refused');
    await whole(subject);
    return { outcome: 'healed', readyMs: performance.now() - begin };
  }
  const outcome = refusal(stderr, exitCode, note);
  if (performance.now() - begin > limitMs) note('it took more than a minute to fail');
  if (!fault.refusal?.error.test(stderr) || !fault.refusal.fix.test(stderr)) note(`it said: ${stderr}`);
  await mending.mend();
  note(...(await remains(subject)));
  return { outcome, readyMs: await startAgain(subject) };
}

const endedBySignal = 'ended by the signal';

/** The error that a command ended with, which must be one of ours, with a fix. */
function refusal(stderr: string, exitCode: number | null, note: Note): string {
  if (exitCode === null || exitCode > 128) return endedBySignal;
  const [, error, fix] = /^error\[.*?\]: (.*)\n(?: {2}fix: (.*)\n)?/m.exec(stderr) ?? [];
  if (error === undefined) note(`it ended with ${exitCode} and no error: ${stderr}`);
  else if (fix === undefined) note(`its error has no fix: ${stderr}`);
  return `refused: ${error ?? 'no error'}`;
}

/** What remains after a command; one that was killed could not clean up, or had not yet asked the launcher to stop. */
function leftBy(outcome: string, subject: Subject): Promise<string[]> {
  return outcome === endedBySignal ? stopped(subject) : remains(subject);
}

async function startAgain(subject: Subject): Promise<number> {
  const begin = performance.now();
  await succeeded(subject.up());
  await whole(subject);
  return performance.now() - begin;
}

const courses = {
  running: whileRunning,
  starting: whileStarting,
  stopping: whileStopping,
  stopped: whileStopped,
};
