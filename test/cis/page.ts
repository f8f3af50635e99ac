import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Verdict } from './check.js';
import { controlPlane } from './checks/control-plane.js';
import { node } from './checks/node.js';
import { policies } from './checks/policies.js';
import type { RunningCluster } from './cluster.js';

const begin = '<!-- The table is written by `npm run cis`. -->';
const end = '<!-- End of the table. -->';
export const cisPage = join('docs', 'cis.md');

export const checks = [...controlPlane, ...node, ...policies].sort((a, b) => compare(a.id, b.id));

export type Outcome = { id: string; title: string } & Verdict;

export async function outcomesOf(cluster: RunningCluster): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { id, title, look } of checks) outcomes.push({ id, title, ...(await look(cluster)) });
  return outcomes;
}

export function counts(outcomes: readonly Outcome[]): string {
  const of = (status: Verdict['status']): number => outcomes.filter((each) => each.status === status).length;
  return `${outcomes.length} checks: ${of('pass')} pass, ${of('fail')} fail, ${of('not applicable')} do not apply`;
}

/** docs/cis.md with what was found. */
export async function renderCisPage(root: string, outcomes: readonly Outcome[]): Promise<string> {
  const page = await readFile(join(root, cisPage), 'utf8');
  const [before, after] = [page.split(begin)[0], page.split(end)[1]];
  if (before === undefined || after === undefined) throw new Error(`${cisPage} has lost its markers`);
  const rows = outcomes.map(
    ({ id, title, status, reason = '' }) => `| ${id} | ${title} | ${status} | ${reason} |`,
  );
  const table = ['| check | what is asked for | outcome | reason |', '| --- | --- | --- | --- |', ...rows];
  const text = `${before}${begin}\n\n${counts(outcomes)}.\n\n${table.join('\n')}\n\n${end}${after}`;
  return format(text, { ...(await resolveConfig(join(root, cisPage))), parser: 'markdown' });
}

function compare(a: string, b: string): number {
  const [x, y] = [a, b].map((id) => id.split('.').map(Number)) as [number[], number[]];
  for (const [index, part] of x.entries()) if (part !== y[index]) return part - (y[index] ?? -1);
  return x.length - y.length;
}
