/**
 * Before a release, by a person with internet: every download of the lock file, from upstream or from U7S_MIRROR, and the
 * images that the Dockerfile is built on.
 * `npm run check:downloads -- --pin` also writes the sizes into the lock file.
 */
import { agentFor } from '#src/artifacts/download/proxy-agent.js';
import { messageOf } from '#src/lib/errors.js';
import { imageFault, readBaseImages } from './base-images.js';
import { checkDownloads, pinSizes } from './check-downloads.js';

const projectRoot = process.cwd();
const checked = await checkDownloads({
  projectRoot,
  mirror: process.env['U7S_MIRROR'],
  env: process.env,
  signal: new AbortController().signal,
  report: ({ entry, size, said, fault }) => {
    const state = fault === undefined ? `ok    ${size} bytes${said ? `, ${said}` : ''}` : `FAULT ${fault}`;
    console.log(`${entry.name} ${entry.version} ${entry.arch}`.padEnd(44), state);
  },
});
const bad = checked.filter(({ fault }) => fault !== undefined);
console.log(`${checked.length - bad.length} of ${checked.length} downloads are as the lock file says`);
if (process.argv.includes('--pin')) await pinSizes(projectRoot, checked);

let badImages = 0;
const agent = agentFor(process.env);
for (const image of await readBaseImages(projectRoot)) {
  const fault = await imageFault(image, agent, AbortSignal.timeout(60_000)).catch(messageOf);
  console.log(`${image.name} ${image.tag}`.padEnd(44), fault === undefined ? 'ok' : `FAULT ${fault}`);
  if (fault !== undefined) badImages++;
}
process.exitCode = bad.length + badImages === 0 ? 0 : 1;
