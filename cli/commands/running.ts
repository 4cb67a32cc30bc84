import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Command } from '@commander-js/extra-typings';
import { Redactor } from '../../client/redaction.ts';
import { usageFailure } from '../failure.ts';
import { placing } from '../place.ts';
import { namesOf, type Resolved, resolveSecrets, variablesOf } from '../resolving.ts';
import { common, type Host, toolsOf } from '../tools.ts';
import { namesOption, refuseUncarried } from './exporting.ts';

const HELP = `
Each secret that serves the place becomes a variable of the command: db-url is DB_URL. What the command prints is
redacted as it comes; it gets every signal, and its exit code is the one of fm (128 and the signal's number when a
signal ended it, 127 when there is no such command). It does not get FM_API_KEY and FM_RUN_TOKEN.`;

/** `fm secrets run` */
export function addRunning(secrets: Command, host: Host): void {
  secrets.enablePositionalOptions();
  placing(common(secrets.command('run').argument('<command...>')))
    .description('run a command with secrets as its environment variables')
    .passThroughOptions()
    .option('--only <names>', 'these alone, with commas between')
    .addOption(namesOption())
    .option('--base64', 'give bytes that are no text as base64; otherwise they are refused')
    .option('--no-redact', 'leave its output as it is: for a command that needs the terminal')
    .addHelpText('after', HELP)
    .action(async ([program = '', ...args], options) => {
      const tools = toolsOf(host, { takesRunToken: true });
      const resolved = await resolveSecrets(tools, options, namesOf(options.only));
      const given = options.base64 === true ? resolved.map(asText) : resolved;
      refuseUncarried(given, { refusal: refusalOf }, 'a variable');
      const variables = variablesOf(given, options.names);
      const redactor = options.redact ? redactorOf(resolved) : null;
      const { short, common: ordinary } = redactor?.leftAlone ?? { short: 0, common: 0 };
      if (short + ordinary > 0) {
        const count = short + ordinary === 1 ? '1 value is' : `${short + ordinary} values are`;
        tools.terminal.note(`fm: ${count} too short or too ordinary to be redacted.`);
      }
      const env = {
        ...host.inherited(),
        ...Object.fromEntries(variables.map(({ variable, bytes }) => [variable, bytes.toString('utf8')])),
      };
      host.outcome.exitCode = await run(host, program, args, env, redactor);
    });
}

function asText(secret: Resolved): Resolved {
  if (secret.encoding === 'utf8') return secret;
  return { ...secret, encoding: 'utf8', bytes: Buffer.from(secret.bytes.toString('base64')) };
}

function refusalOf(bytes: Buffer): string | null {
  if (bytes.includes(0)) return 'it holds a NUL, which no variable can hold';
  return bytes.equals(Buffer.from(bytes.toString('utf8')))
    ? null
    : 'it holds bytes that are no text; --base64 gives them as base64';
}

/** Bytes are looked for as they are, too: the output is searched byte by byte, one character each. */
function redactorOf(secrets: readonly Resolved[]): Redactor {
  const redactor = new Redactor();
  for (const { bytes, encoding } of secrets) {
    redactor.addValue(bytes.toString(encoding));
    if (encoding === 'base64') redactor.add(bytes.toString('latin1'));
  }
  return redactor;
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const OF_A_SIGNAL = 128;

function run(
  host: Host,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  redactor: Redactor | null,
): Promise<number> {
  const { stdout, stderr } = host.streams;
  const output = redactor === null ? 'inherit' : 'pipe';
  if (program === '') throw usageFailure('There is no command.');
  // Before it is there: a command may be quicker than what follows here, and a signal to it must not end us.
  const forget = forwardSignals(() => child, host.terminal.stdinIsTerminal);
  const child = spawn(program, args, { env, cwd: host.workingDirectory, stdio: ['inherit', output, output] });
  const copied = [copy(child.stdout, stdout, redactor), copy(child.stderr, stderr, redactor)];
  return new Promise<number>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      forget();
      const isMissing = error.code === 'ENOENT';
      host.terminal.warn(
        `fm: ${isMissing ? 'there is no such command' : `the command cannot be run (${error.code})`}.`,
      );
      resolve(isMissing ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('close', async (code, signal) => {
      await Promise.all(copied);
      forget();
      resolve(code ?? OF_A_SIGNAL + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** Copies what comes to a stream without the values. A slow reader slows the command down, as a pipe would. */
async function copy(from: Readable | null, to: Writable, redactor: Redactor | null): Promise<void> {
  if (from === null || redactor === null) return;
  const redacted = redactor.stream();
  const write = async (text: string) => {
    if (text !== '' && !to.write(Buffer.from(text, 'latin1')))
      await new Promise((resolve) => to.once('drain', resolve));
  };
  for await (const chunk of from as AsyncIterable<Buffer>)
    await write(redacted.feed(chunk.toString('latin1')));
  await write(redacted.flush());
}

const FORWARDED = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;

/** Hands the signals on. Those of a terminal's keys came to the command already: it is in the same group. */
function forwardSignals(command: () => ChildProcess, isTerminal: boolean): () => void {
  const handlers = FORWARDED.map((signal) => {
    const isOfKeys = isTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT');
    const handler = () => {
      if (!isOfKeys) command().kill(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}
