import { Command, CommanderError } from '@commander-js/extra-typings';
import { problems, problemType, SecretsError } from '../shared/contract/errors.ts';
import { VERSION } from '../shared/contract/version.ts';
import { exitCodeOf, exitCodes, Failure, failureLines, localFailure, usageFailure } from './failure.ts';
import type { Environment } from './settings.ts';
import { createTerminal, type Streams, type Terminal } from './terminal.ts';
import { type CommonOptions, common, type Host } from './tools.ts';

/** What belongs to the process that `fm` runs in. */
export interface Process extends Streams {
  readonly workingDirectory: string;
  readonly environment: Environment;
  readonly inherited: Host['inherited'];
}

/** Commands that one file adds. */
export interface Family {
  /** In `commands`, without its ending. */
  readonly file: string;
  /** The command that its words stand below; null when they stand alone. */
  readonly below: 'secrets' | null;
  readonly words: readonly string[];
  readonly add: (parent: Command, host: Host) => void;
}

/** Runs one command line. @returns the exit code */
export async function runCli(
  args: readonly string[],
  own: Process,
  families: readonly Family[],
): Promise<number> {
  const terminal = createTerminal(own, own.environment.NO_COLOR !== undefined);
  const { workingDirectory, environment } = own;
  const host: Host = {
    terminal,
    workingDirectory,
    environment,
    inherited: own.inherited,
    streams: own,
    outcome: { common: {}, exitCode: exitCodes.done },
  };
  const program = createProgram(host, own, families);
  try {
    await program.parseAsync(args, { from: 'user' });
    return host.outcome.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const failure = failureOf(error);
    report(terminal, failure, beforeEnd(args).includes('--json'));
    return failure.exitCode;
  }
}

function createProgram(host: Host, { stdout, stderr }: Streams, families: readonly Family[]): Command {
  const program = new Command('fm')
    .description('FlowMason Secrets: store, rotate and look at the secrets of pipelines.')
    .version(VERSION)
    // Or `--version` after any command would be ours: `fm runs list --version 2` asks for a secret's version.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Said by report() instead: the parser's own message quotes what it did not understand.
      outputError: () => undefined,
    });
  const secrets = program.command('secrets').description('store, rotate and look at secrets');
  for (const { below, add } of families) add(below === null ? program : secrets, host);
  for (const group of [program, ...program.commands]) if (group.commands.length > 0) common(group);
  program.hook('preAction', (_program, command) => {
    // What stands before the command's word holds for it, too: fm --json secrets list
    const given: CommonOptions = command.optsWithGlobals();
    if (given.quiet === true) host.terminal.beQuiet();
    host.outcome.common = given;
  });
  return program;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof CommanderError) return parserFailure(error);
  if (error instanceof SecretsError) return ownFailure(error);
  return localFailure(
    'internal',
    'It failed',
    'Something went wrong within fm. Nothing more is said: it could hold a value.',
  );
}

/** What a use-case that ran within fm itself refused. */
function ownFailure({ code, message: detail }: SecretsError): Failure {
  const { title, status } = problems[code];
  return new Failure({ type: problemType(code), title, status, detail }, exitCodeOf(status));
}

/** What the parser refused, without the words that it was given: one of them could be a value. */
function parserFailure({ code, message }: CommanderError): Failure {
  const help = ['Help: add --help to the command.'];
  switch (code) {
    case 'commander.unknownOption':
      return usageFailure('There is an option that fm does not know.', [
        // The suggestion names our own options only.
        /\(Did you mean [^)]*\)$/.exec(message)?.[0] ?? 'A VALUE that starts with - goes after --.',
        ...help,
      ]);
    case 'commander.excessArguments':
      return usageFailure('There are more arguments than the command takes.', [
        'Put quotes around a value with spaces.',
        ...help,
      ]);
    case 'commander.missingArgument':
    case 'commander.missingMandatoryOptionValue':
    case 'commander.optionMissingArgument':
    case 'commander.unknownCommand':
      // These name what the command is missing, or a command that was mistyped.
      return usageFailure(sentence(message), help);
    case 'commander.invalidArgument':
      return usageFailure(withoutArgument(message), help);
    default:
      return usageFailure('The command was not complete.', help);
  }
}

/** The arguments that can be options: after `--` they are none. */
function beforeEnd(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

function report(terminal: Terminal, failure: Failure, json: boolean): void {
  if (json) terminal.printJson(failure.problem, 'stderr');
  else for (const line of failureLines(failure)) terminal.warn(line);
}

/** Which option, and what it takes, without what stood in its place. */
function withoutArgument(message: string): string {
  const parts = /^error: option '([^']+)' argument '[\s\S]*' is invalid\. (Allowed choices are .*)$/.exec(
    message,
  );
  if (parts === null) return 'An option has a value that it does not take.';
  return `${parts[1]} has a value that it does not take. ${parts[2]}`;
}

/** The parser's words as a sentence. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
