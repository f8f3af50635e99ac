import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { renderBoundedOomScore } from '#src/runtimes/runc-bounded-oom-score.js';
import { temporary } from '../temporary.js';

/** A wrapper round a stand-in for runc, and a bundle whose config.json the wrapper is run on. */
async function install(t: ExecutionContext) {
  const folder = await temporary(t);
  const [runc, wrapper, bundle] = ['runc', 'wrapper', 'bundle'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(runc, '#!/bin/sh\nprintf "%s " "$@"\n');
  await writeFile(wrapper, renderBoundedOomScore(runc));
  for (const file of [runc, wrapper]) await chmod(file, 0o700);
  await mkdir(bundle);
  const config = join(bundle, 'config.json');
  return async (document: unknown, words: string[], own: number): Promise<unknown> => {
    await writeFile(config, JSON.stringify(document));
    // Raising one's own score is anybody's right.
    const run = 'echo "$1" >/proc/self/oom_score_adj; shift; exec "$@"';
    const args = [...words, '--bundle', bundle, 'id'];
    const { stdout } = await promisify(execFile)('sh', ['-c', run, 'sh', String(own), wrapper, ...args]);
    t.is(stdout.trim(), args.join(' '), 'runc is given what the wrapper was');
    return JSON.parse(await readFile(config, 'utf8'));
  };
}

const wanting = (score: number) => ({ process: { args: ['sh'], oomScoreAdj: score }, linux: {} });

test('a container that wants less than we have gets what we have; runc could not give it less', async (t) => {
  const after = await install(t);
  t.deepEqual(await after(wanting(-998), ['create'], 0), wanting(0));
  t.deepEqual(await after(wanting(2), ['--debug', 'create'], 100), wanting(100));
});

test('what can be had stays as it is, and so does a configuration that says nothing of it', async (t) => {
  const after = await install(t);
  t.deepEqual(await after(wanting(1000), ['create'], 0), wanting(1000));
  t.deepEqual(await after(wanting(100), ['create'], 100), wanting(100));
  t.deepEqual(await after({ linux: {} }, ['create'], 100), { linux: {} });
});

test('text that only looks like it, and every other command, changes nothing', async (t) => {
  const after = await install(t);
  const quoting = { annotations: { note: '{"oomScoreAdj":-5}' }, process: {} };
  t.deepEqual(await after(quoting, ['create'], 0), quoting);
  t.deepEqual(await after(wanting(-998), ['start'], 0), wanting(-998));
});
