import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { MAX_VALUE_BYTES } from '../shared/contract/value.ts';
import { Failure, usageFailure } from './failure.ts';
import { readBounded, type Terminal } from './terminal.ts';

/** A secret's value as the API takes it. */
export interface Value {
  readonly value: string;
  readonly encoding: 'utf8' | 'base64';
}

/** Where a command was told to take its value from. */
export interface ValueSource {
  /** The argument; `-` is standard input. */
  readonly given: string | undefined;
  readonly fromFile: string | undefined;
  /** The value is base64 text of bytes. */
  readonly isBase64: boolean;
  readonly question: string;
}

// Base64 text of the longest value, with room for the line breaks that base64 tools put in.
const MAX_INPUT_BYTES = MAX_VALUE_BYTES * 2;

/**
 * Takes a value from the argument, a file, standard input, or a prompt that does not echo.
 * @throws Failure wrong usage, never quoting the value
 */
export async function readValue(
  terminal: Terminal,
  workingDirectory: string,
  source: ValueSource,
): Promise<Value> {
  if (source.fromFile !== undefined && source.given !== undefined) {
    throw usageFailure('Give the VALUE or --from-file, not both.');
  }
  const bytes = await valueBytes(terminal, workingDirectory, source);
  if (bytes.length === 0) throw usageFailure('The value is empty. Nothing was sent.');
  if (source.isBase64) return { value: bytes.toString('utf8').replace(/\s/g, ''), encoding: 'base64' };
  return isUtf8(bytes)
    ? { value: bytes.toString('utf8'), encoding: 'utf8' }
    : { value: bytes.toString('base64'), encoding: 'base64' };
}

async function valueBytes(
  terminal: Terminal,
  workingDirectory: string,
  source: ValueSource,
): Promise<Buffer> {
  if (source.fromFile !== undefined) return readFile(path.resolve(workingDirectory, source.fromFile));
  if (source.given !== undefined && source.given !== '-') {
    // Node puts this character in the place of bytes that are not UTF-8: what was meant is already lost.
    if (source.given.includes('\ufffd')) {
      throw usageFailure('The VALUE is not UTF-8. Nothing was sent.', [
        'Give its bytes with --from-file, or with - on standard input.',
      ]);
    }
    if (terminal.stderrIsTerminal) {
      terminal.note(
        'fm: a value in the command stays in the shell’s history; leave it out to be asked for it.',
      );
    }
    return Buffer.from(source.given, 'utf8');
  }
  if (source.given === undefined && terminal.stdinIsTerminal) {
    return Buffer.from(await terminal.askHidden(source.question), 'utf8');
  }
  return withoutLastLineBreak(await terminal.readInput(MAX_INPUT_BYTES));
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
