import { Argument, type Command, type CommandUnknownOpts, type Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { type Api, createApi, flat } from '../api.ts';
import { type Host, PAGE, settingsOf } from '../tools.ts';

/** Each asks `fm __complete` with the words up to the cursor; none needs another package. */
const scripts = {
  bash: `_fm() {
  local IFS=$'\\n'
  COMPREPLY=($(fm __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _fm fm
`,
  zsh: `#compdef fm
_fm() {
  local -a found
  found=("\${(@f)$(fm __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _fm fm
`,
  fish: `complete -c fm -f -a '(fm __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
} as const;

const HELP = `
  bash: eval "$(fm completion bash)"         in ~/.bashrc
  zsh:  eval "$(fm completion zsh)"          in ~/.zshrc, after compinit
  fish: fm completion fish | source          in ~/.config/fish/config.fish`;

/** `fm completion`, and what its scripts ask. Names are completed, never a value. */
export function addCompleting(program: Command, host: Host): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish'] as const))
    .description('print what completes fm in a shell: commands, options, names, environments, pipelines')
    .addHelpText('after', HELP)
    .action((shell) => {
      host.terminal.write(scripts[shell]);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => {
      const last = words.at(-1) ?? '';
      const found = await candidates(program, words.slice(0, -1), last, host);
      for (const each of found) if (each.startsWith(last)) host.terminal.print(each);
    });
}

async function candidates(
  program: Command,
  words: readonly string[],
  last: string,
  host: Host,
): Promise<readonly string[]> {
  const { command, open, given } = walk(program as unknown as CommandUnknownOpts, words);
  if (open !== undefined) return valuesOf(open, host);
  if (last.startsWith('-'))
    return command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
  const commands = command.commands.map((each) => each.name()).filter((name) => !name.startsWith('_'));
  if (commands.length > 0) return commands;
  const expected = command.registeredArguments[given];
  if (expected?.argChoices !== undefined) return expected.argChoices;
  return expected?.name() === 'name' ? fromServer(host, (api) => namesFrom(api, last)) : [];
}

/** The command that the words lead to, the option whose value is to come, and how many arguments it has. */
function walk(program: CommandUnknownOpts, words: readonly string[]) {
  let command = program;
  let open: Option | undefined;
  let given = 0;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (word.startsWith('-')) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      open = option?.required === true ? option : undefined;
    } else {
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) given += 1;
      else command = next;
    }
  }
  return { command, open, given };
}

function valuesOf(option: Option, host: Host): Promise<readonly string[]> | readonly string[] {
  if (option.argChoices !== undefined) return option.argChoices;
  switch (option.long) {
    case '--env':
    case '--from':
    case '--to':
      return fromServer(host, async (api) => (await api.call(routes.describeCaller, {})).known_environments);
    case '--pipeline':
      return fromServer(host, pipelinesFrom);
    default:
      return [];
  }
}

async function namesFrom(api: Api, prefix: string): Promise<readonly string[]> {
  const names = new Set<string>();
  const asked = prefix === '' ? { limit: PAGE } : { prefix, limit: PAGE };
  for await (const { name } of flat(api.pages(routes.listSecrets, asked))) names.add(name);
  return [...names];
}

async function pipelinesFrom(api: Api): Promise<readonly string[]> {
  const pipelines = new Set<string>();
  for await (const { pipeline_id } of flat(api.pages(routes.listSecrets, { scope: 'pipeline', limit: PAGE })))
    if (pipeline_id !== null) pipelines.add(pipeline_id);
  return [...pipelines];
}

// Whoever pressed the tabulator waits.
const TIMEOUT_MS = 2000;

/** What a server says; nothing at all when it cannot: a completion that fails must not write over the line. */
async function fromServer(
  host: Host,
  ask: (api: Api) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await ask(createApi(settingsOf(host, { takesRunToken: true }), TIMEOUT_MS));
  } catch {
    return [];
  }
}
