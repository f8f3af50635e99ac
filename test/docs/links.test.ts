import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';

const pages = ['.', 'docs', 'patches'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** `[text](target)` and `![text](target)`, also over a line break. */
const linkPattern = /\]\(([^()\s]+)\)/g;

/** Files of ours that a page names in code: `src/pki/ca.ts`, `test/bench/`. */
const pathPattern = /`((?:src|test|config|docs|build|image|bin)\/[\w./-]+)`/g;

for (const page of pages) {
  test(`links of ${page} lead somewhere`, (t) => {
    const text = withoutCode(readFileSync(page, 'utf8'));
    const broken = [...text.matchAll(linkPattern)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !reachable(page, target));
    t.deepEqual(broken, []);
  });

  test(`files named in ${page} exist`, (t) => {
    const named = [...readFileSync(page, 'utf8').matchAll(pathPattern)].map(([, path = '']) => path);
    t.deepEqual(
      named.filter((path) => !madeLater.has(path) && !existsSync(path)),
      [],
    );
  });
}

/** What a start or a build makes in a checkout. */
const madeLater = new Set(['image/ready', 'config/localhost.kubeconfig']);

function reachable(page: string, target: string): boolean {
  const [path = '', fragment] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(file)) return false;
  return fragment === undefined || !file.endsWith('.md') || anchorsOf(file).has(fragment);
}

/** As GitHub makes them of headings. */
function anchorsOf(file: string): Set<string> {
  const headings = withoutCode(readFileSync(file, 'utf8')).matchAll(/^#+ +(.*)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replace(/^```[^]*?^```/gm, '').replace(/^(?: {4}).*$/gm, '');
}
