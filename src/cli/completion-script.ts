import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Verb {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** What its first argument may be, where that is a choice. */
  readonly values: readonly string[];
}

/** A completion script of a command tree: verbs, their flags, and the values of flags that are choices. */
export function completionScript(program: Command, shell: Shell): string {
  const help = program.createHelp();
  const verbs = help.visibleCommands(program).map((command) => ({
    name: command.name(),
    description: firstLine(command.description()),
    options: help.visibleOptions(command),
    values: command.registeredArguments[0]?.argChoices ?? [],
  }));
  const name = program.name();
  if (shell === 'bash') return bashScript(name, verbs);
  return shell === 'zsh' ? zshScript(name, verbs) : fishScript(name, verbs);
}

function firstLine(text: string): string {
  return text.split(/[:;\n]/)[0] ?? '';
}

function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function valueCase(words: string, values: readonly string[] = []): string {
  return `    ${quoted(words)}) values=${quoted(values.join(' '))} ;;`;
}

function bashScript(name: string, verbs: readonly Verb[]): string {
  const flagCases = verbs.map(
    (verb) => `    ${verb.name}) flags=${quoted(verb.options.flatMap(flagsOf).join(' '))} ;;`,
  );
  const valueCases = verbs.flatMap((verb) => [
    ...(verb.values.length > 0 ? [valueCase(`${verb.name} ${verb.name}`, verb.values)] : []),
    ...verb.options.flatMap((option) =>
      option.argChoices
        ? flagsOf(option).map((flag) => valueCase(`${verb.name} ${flag}`, option.argChoices))
        : [],
    ),
  ]);
  return `# bash completion of ${name}: source <(${name} completion bash)
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb="\${COMP_WORDS[1]}"
  local flags='' values=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(verbs.map((verb) => verb.name).join(' '))} -- "$current"))
    return
  fi
  case "$verb $previous" in
${valueCases.join('\n')}
  esac
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    return
  fi
  case "$verb" in
${flagCases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _${name} ${name}
`;
}

function zshScript(name: string, verbs: readonly Verb[]): string {
  const escape = (text: string): string => text.replaceAll(/[[\]:\\]/g, String.raw`\$&`);
  const specs = (verb: Verb): string[] =>
    verb.options.flatMap((option) => {
      const value = option.argChoices
        ? `:value:(${option.argChoices.join(' ')})`
        : option.required || option.optional
          ? ':value:_files'
          : '';
      return flagsOf(option).map((flag) => quoted(`*${flag}[${escape(option.description)}]${value}`));
    });
  const cases = verbs.map((verb) => {
    const positional = quoted(
      verb.values.length > 0 ? `1:value:(${verb.values.join(' ')})` : '*:file:_files',
    );
    return `    ${verb.name}) _arguments ${[...specs(verb), positional].join(' ')} ;;`;
  });
  return `#compdef ${name}
# zsh completion of ${name}: source <(${name} completion zsh)
_${name}() {
  local -a verbs
  verbs=(
${verbs.map((verb) => `    ${quoted(`${verb.name}:${escape(verb.description)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' verbs
    return
  fi
  local verb="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$verb" in
${cases.join('\n')}
  esac
}
compdef _${name} ${name}
`;
}

function fishScript(name: string, verbs: readonly Verb[]): string {
  const lines = verbs.flatMap((verb) => [
    `complete -c ${name} -f -n __fish_use_subcommand -a ${verb.name} -d ${quoted(verb.description)}`,
    ...verb.options.map((option) => fishOption(name, verb, option)),
    ...(verb.values.length > 0
      ? [
          `complete -c ${name} -f -n ${quoted(`__fish_seen_subcommand_from ${verb.name}`)} -a ${quoted(verb.values.join(' '))}`,
        ]
      : []),
  ]);
  return `# fish completion of ${name}: ${name} completion fish | source
${lines.join('\n')}
`;
}

function fishOption(name: string, verb: Verb, option: Option): string {
  const { short, long, argChoices } = option;
  return [
    `complete -c ${name} -n ${quoted(`__fish_seen_subcommand_from ${verb.name}`)}`,
    ...(short ? [`-s ${short.slice(1)}`] : []),
    ...(long ? [`-l ${long.slice(2)}`] : []),
    ...(argChoices ? [`-x -a ${quoted(argChoices.join(' '))}`] : option.required ? ['-r'] : []),
    `-d ${quoted(option.description)}`,
  ].join(' ');
}
