import { isUtf8 } from 'node:buffer';
import { randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import type { Command, OptionValues } from '@commander-js/extra-typings';
import { MAX_VALUE_BYTES } from '../shared/contract/value.ts';
import { Failure, usageFailure } from './failure.ts';
import { readBounded } from './terminal.ts';
import { type Host, numberOf } from './tools.ts';

/** A secret's value as the API takes it. */
export interface Value {
  readonly value: string;
  readonly encoding: 'utf8' | 'base64';
}

/** Adds the options that say where a value comes from. */
export function taking<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option('--from-file <file>', 'take the value from a file, byte by byte')
    .option('--generate <length>', 'make one of so many letters and digits, and show it to nobody')
    .option('--base64', 'the value is base64 of bytes')
    .option('--keep-newline', 'keep the line break of a single line from standard input')
    .addHelpText('after', VALUE_HELP);
}

const VALUE_HELP = `
VALUE may be left out: then it is asked for without an echo, or taken from standard input. With - it is taken
from standard input: one line without its line break, several lines as they are. A file is never trimmed.
A VALUE that starts with - goes after --: fm secrets set NAME -- -value`;

/** What {@link taking} adds. */
export interface Taking {
  readonly fromFile?: string | undefined;
  readonly generate?: string | undefined;
  readonly base64?: true | undefined;
  readonly keepNewline?: true | undefined;
}

// Base64 text of the longest value, with room for the line breaks that base64 tools put in.
const MAX_INPUT_BYTES = MAX_VALUE_BYTES * 2;

/**
 * Takes a value from the argument, a file, standard input, or a prompt that does not echo; or makes one.
 * @param given the argument; `-` is standard input
 * @throws Failure wrong usage, never quoting the value
 */
export async function readValue(
  host: Host,
  given: string | undefined,
  options: Taking,
  question: string,
): Promise<Value> {
  if ([given, options.fromFile, options.generate].filter((source) => source !== undefined).length > 1) {
    throw usageFailure('Give only one of VALUE, --from-file and --generate.');
  }
  const bytes = await valueBytes(host, given, options, question);
  if (bytes.length === 0) throw usageFailure('The value is empty. Nothing was sent.');
  if (options.base64 === true)
    return { value: bytes.toString('utf8').replace(/\s/g, ''), encoding: 'base64' };
  return encoded(bytes);
}

/** Bytes as the API takes them: as text when they are UTF-8. */
export function encoded(bytes: Buffer): Value {
  return isUtf8(bytes)
    ? { value: bytes.toString('utf8'), encoding: 'utf8' }
    : { value: bytes.toString('base64'), encoding: 'base64' };
}

async function valueBytes(
  { terminal, workingDirectory }: Host,
  given: string | undefined,
  { fromFile, generate, keepNewline }: Taking,
  question: string,
): Promise<Buffer> {
  const length = numberOf('--generate', generate);
  if (length !== undefined) return generated(length);
  if (fromFile !== undefined) return readFile(path.resolve(workingDirectory, fromFile));
  if (given !== undefined && given !== '-') {
    // Node puts this character in the place of bytes that are not UTF-8: what was meant is already lost.
    if (given.includes('\ufffd')) {
      throw usageFailure('The VALUE is not UTF-8. Nothing was sent.', [
        'Give its bytes with --from-file, or with - on standard input.',
      ]);
    }
    terminal.note(
      'fm: the shell’s history and the list of processes saw this value; leave it out to be asked for it.',
    );
    return Buffer.from(given, 'utf8');
  }
  if (given === undefined && terminal.stdinIsTerminal) {
    return Buffer.from(await terminal.askHidden(question), 'utf8');
  }
  const input = await terminal.readInput(MAX_INPUT_BYTES);
  return keepNewline === true ? input : withoutLastLineBreak(input);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LEAST_GENERATED = 16;

/** Letters and digits alone: they need no quotes in any shell, URL or config. 32 of them are 190 bits. */
function generated(length: number): Buffer {
  if (length < LEAST_GENERATED || length > MAX_VALUE_BYTES)
    throw usageFailure(`--generate takes ${LEAST_GENERATED} to ${MAX_VALUE_BYTES} characters.`);
  return Buffer.from(Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join(''));
}

/** What `echo` puts after one line is not part of it; text of several lines stays as it is. */
function withoutLastLineBreak(bytes: Buffer): Buffer {
  if (bytes.indexOf(0x0a) !== bytes.length - 1) return bytes;
  const end = bytes.at(-2) === 0x0d ? 2 : 1;
  return bytes.subarray(0, bytes.length - end);
}

async function readFile(file: string): Promise<Buffer> {
  try {
    return await readBounded(createReadStream(file), MAX_INPUT_BYTES);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw usageFailure(`${file} cannot be read.`);
  }
}
