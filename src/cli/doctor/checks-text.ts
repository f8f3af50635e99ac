import type { Check } from '../../host/preflight.js';
import type { Fix } from '../../lib/fixes.js';
import { textWithFixes } from '../../ui/renderer.js';
import { renderTable } from '../../ui/table.js';

const symbols = { ok: '✓', warning: '!', blocked: '✗', unknown: '?' };

/** What doctor has found, how to fix what is wrong, and the verdict. */
export function checksText(
  checks: readonly Check[],
  terminal: boolean,
  textOf: (fix: Fix) => string,
): string {
  const table = renderTable(
    ['status', 'check', 'found'],
    checks.map(({ status, title, found }) => [terminal ? symbols[status] : status, title, found]),
  );
  const advice = checks
    .filter(({ fixes }) => fixes.length > 0)
    .map(({ title, why, fixes }) => `${textWithFixes({ text: `${title}: ${why}`, fixes }, textOf)}\n`);
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const verdict =
    count('blocked') > 0 ? `not ready for a node; blocked: ${count('blocked')}` : 'ready for a node';
  const warnings = count('warning') > 0 ? `; warnings: ${count('warning')}` : '';
  return [table, ...advice, `${verdict}${warnings}\n`].join('\n');
}

/** For programs: each fix as data, and as this user types it. */
export function checksJson(checks: readonly Check[], textOf: (fix: Fix) => string): string {
  const told = checks.map(({ fixes, ...check }) => ({
    ...check,
    fixes: fixes.map((fix) => ({ fix, text: textOf(fix) })),
  }));
  return `${JSON.stringify(told, null, 2)}\n`;
}
