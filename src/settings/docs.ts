import type { Memory, Setting } from './entry.js';
import { defaultText } from './help.js';
import { portBase, settingEntries } from './table.js';

const [begin, end] = ['<!-- table of settings: npm run docs:settings -->', '<!-- end of the table -->'];

/** `document` with the table of settings between its two marks as src/settings/table.ts has it. */
export function settingsDocument(document: string): string {
  const [head, rest] = document.split(begin);
  const [, tail] = rest?.split(end) ?? [];
  if (head === undefined || tail === undefined) throw new Error(`the document has no "${begin}" … "${end}"`);
  return `${head}${begin}\n\n${settingsTable()}\n\n${end}${tail}`;
}

const columns = [
  'Field',
  'What it is',
  'Default',
  'Flag or other source',
  'Variables',
  'Later starts',
  'Shared',
];

function settingsTable(): string {
  const rows = settingEntries.map(([name, setting]) => [
    code(name),
    setting.several === undefined ? setting.help : `${setting.help}; several can be given`,
    defaultOf(setting),
    sourceOf(setting),
    (setting.variables ?? []).map(code).join(', '),
    memoryText(setting),
    setting.shared ? 'yes' : '',
  ]);
  const base = [
    '',
    portBase.help,
    '',
    `${code(portBase.flag)} (${portBase.verbs.map(code).join(', ')})`,
    code(portBase.variable),
    '',
    '',
  ];
  return [columns, columns.map(() => '---'), ...rows, base]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

function defaultOf(setting: Setting): string {
  const { default: value, defaultWords } = setting;
  if (defaultWords !== undefined && typeof defaultWords === 'object') {
    return Object.entries(defaultWords)
      .map(([verb, words]) => `${code(verb)}: ${words}`)
      .join('; ');
  }
  if (defaultWords !== undefined) return defaultWords.replace(/^u7s-<hostname>$/, '`u7s-<hostname>`');
  return value === undefined || typeof value === 'object' ? '' : code(defaultText(setting) ?? '');
}

function sourceOf({ flag, verbs, givenBy }: Setting): string {
  const byFlag = flag === undefined ? [] : [`${code(flag)} (${(verbs ?? []).map(code).join(', ')})`];
  return [...byFlag, ...(givenBy === undefined ? [] : [givenBy])].join('; ');
}

function memoryText({ memory = {}, boundIf }: Setting): string {
  const words: Record<Memory, string> = { kept: 'kept', asked: 'kept', fixed: 'fixed', compared: 'fixed' };
  const conditions = { kubernetes: ' with Kubernetes', severalNodes: ' with several nodes' };
  const condition = boundIf === undefined ? '' : conditions[boundIf];
  const { 'control-plane': here, worker: there } = memory;
  const ofHere = here === undefined ? undefined : `${words[here]}${condition}`;
  const ofThere = there === undefined ? undefined : words[there];
  if (ofHere === ofThere) return ofHere ?? '';
  return [ofHere, ofThere === undefined ? undefined : `worker: ${ofThere}`]
    .filter((each) => each !== undefined)
    .join('; ');
}
