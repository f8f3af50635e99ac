/** Looks at a running cluster as the CIS benchmark asks, and writes docs/cis.md: npm run cis -- [NAME]. */
import { writeFile } from 'node:fs/promises';
import { runningCluster } from './cluster.js';
import { cisPage, counts, outcomesOf, renderCisPage } from './page.js';

const outcomes = await outcomesOf(await runningCluster(process.argv[2] ?? 'default'));
for (const { id, title, status, reason } of outcomes)
  if (status === 'fail') console.log(`fail ${id} ${title}${reason === undefined ? '' : `: ${reason}`}`);
console.log(counts(outcomes));
await writeFile(cisPage, await renderCisPage('.', outcomes));
process.exit();
