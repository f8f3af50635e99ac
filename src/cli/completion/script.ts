import type { Command, Option } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What can follow the words of `path`, e.g. `artifacts fetch`. */
type Place = { path: string; commands: Suggestion[]; values: string[]; options: Flag[] };
type Suggestion = { word: string; help: string };
type Flag = { words: string[]; help: string; takesValue: boolean; choices: readonly string[] };

/** A script that completes `u7s` in `shell`. All words are in it, so that a press of TAB starts no program. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '');
  return { bash, zsh, fish }[shell](places);
}

function placesOf(command: Command, path: string): Place[] {
  const helper = command.createHelp();
  const visible = helper.visibleCommands(command);
  const options = [...helper.visibleOptions(command), ...helper.visibleGlobalOptions(command)].map(flagOf);
  const place = {
    path,
    commands: visible.map((each) => ({ word: each.name(), help: firstSentence(each.description()) })),
    values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    options,
  };
  const deeper = visible.filter((each) => each.name() !== 'help');
  return [place, ...deeper.flatMap((each) => placesOf(each, `${path} ${each.name()}`.trim()))];
}

function flagOf(option: Option): Flag {
  return {
    words: [option.short, option.long].filter((word) => word !== undefined && word !== null),
    help: firstSentence(option.description),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}

function firstSentence(text: string): string {
  return (text.split(/[.;:(\n]/)[0] ?? '').trim();
}

/** The case branches that both bash and zsh understand. */
function branches(places: Place[]): { step: string; words: string; choices: string; valued: string } {
  const flags = places.flatMap(({ path, options }) => options.map((flag) => ({ path, flag })));
  const inner = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return {
    step: inner.join('|') || "''",
    valued: [...new Set(flags.filter(({ flag }) => flag.takesValue).flatMap(({ flag }) => flag.words))].join(
      '|',
    ),
    words: places
      .map(({ path, commands, values, options }) => {
        const words = [
          ...commands.map(({ word }) => word),
          ...values,
          ...options.flatMap((flag) => flag.words),
        ];
        return `    '${path}') words='${words.join(' ')}' ;;`;
      })
      .join('\n'),
    choices: flags
      .filter(({ flag }) => flag.choices.length > 0)
      .map(({ path, flag }) => {
        const patterns = flag.words.map((word) => `'${path} ${word}'`).join('|');
        return `    ${patterns}) words='${flag.choices.join(' ')}' ;;`;
      })
      .join('\n'),
  };
}

function bash(places: Place[]): string {
  const { step, words, choices, valued } = branches(places);
  return `# bash completion of u7s; source it: source <(u7s completion bash)
_u7s() {
  local place='' words='' previous="\${COMP_WORDS[COMP_CWORD-1]}" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${valued}) i=$((i + 1)) ;;
      *) case "\${place:+$place }\${COMP_WORDS[i]}" in ${step}) place="\${place:+$place }\${COMP_WORDS[i]}" ;; esac ;;
    esac
  done
  case "$place" in
${words}
  esac
  case "$previous" in ${valued}) words='' ;; esac
  case "$place $previous" in
${choices}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _u7s u7s
`;
}

function zsh(places: Place[]): string {
  const { step, words, choices, valued } = branches(places);
  return `#compdef u7s
# zsh completion of u7s; source it: source <(u7s completion zsh)
_u7s() {
  local place='' suggested='' previous="$words[CURRENT-1]" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$words[i]" in
      ${valued}) i=$((i + 1)) ;;
      *) case "\${place:+$place }$words[i]" in ${step}) place="\${place:+$place }$words[i]" ;; esac ;;
    esac
  done
  case "$place" in
${words.replaceAll(" words='", " suggested='")}
  esac
  case "$previous" in ${valued}) suggested='' ;; esac
  case "$place $previous" in
${choices.replaceAll(" words='", " suggested='")}
  esac
  if [[ -n "$suggested" ]]; then compadd -- \${=suggested}; else _files; fi
}
if [[ "$funcstack[1]" == _u7s ]]; then _u7s "$@"; else compdef _u7s u7s; fi
`;
}

function fish(places: Place[]): string {
  const lines = places.flatMap(({ path, commands, values, options }) => {
    const names = path.split(' ').filter(Boolean);
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const next =
      commands.length > 0
        ? [`not __fish_seen_subcommand_from ${commands.map(({ word }) => word).join(' ')}`]
        : [];
    const here = `-n ${quote([...seen, ...next].join('; and ') || 'true')}`;
    return [
      ...commands.map(({ word, help }) => `complete -c u7s ${here} -f -a ${word} -d ${quote(help)}`),
      ...values.map((value) => `complete -c u7s ${here} -f -a ${value}`),
      ...options.map(({ words, help, takesValue, choices }) => {
        const flags = words.map((word) =>
          word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`,
        );
        const value = choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : takesValue ? ' -r' : '';
        return `complete -c u7s ${here} ${flags.join(' ')}${value} -d ${quote(help)}`;
      }),
    ];
  });
  return `# fish completion of u7s; source it: u7s completion fish | source\n${[...new Set(lines)].join('\n')}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
