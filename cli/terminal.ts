import type { ReadStream } from 'node:tty';
import { styleText } from 'node:util';
import { usageFailure } from './failure.ts';
import { readHidden } from './prompt.ts';

export interface Streams {
  readonly stdin: ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** All that `fm` says and asks goes through here, so that what a server sent can never steer the terminal. */
export interface Terminal {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** One line of the result, on stdout. A line break within it is shown, not made. */
  print(line: string, style?: 'bold'): void;
  /** One line that says what was done, on stdout; nothing when quiet. */
  done(line: string): void;
  /** One line beside the result, on stderr; nothing when quiet. */
  note(line: string): void;
  /** One line about a failure, on stderr. */
  warn(line: string): void;
  /** Text as it is, on stdout: what a program will read. */
  write(text: string | Buffer): void;
  /** How far long work is, on one line of stderr that is written over; nothing when quiet or on no terminal. */
  progress(line: string): void;
  /** JSON on stdout, or on stderr for problems. */
  printJson(value: unknown, to?: 'stdout' | 'stderr'): void;
  /** All of stdin. @throws Failure when it is longer than `limit` bytes */
  readInput(limit: number): Promise<Buffer>;
  /** Asks for a line that is not echoed, not even its length. */
  askHidden(question: string): Promise<string>;
  /** Asks for a line. */
  ask(question: string): Promise<string>;
  /** Asks for a yes; anything else is a no. */
  confirm(question: string): Promise<boolean>;
  /** From now on only results and failures are written. */
  beQuiet(): void;
}

const CLEAR_LINE = '\r\u001b[K';

/** Makes the terminal of one process. Colours only on a terminal that did not ask for none. */
export function createTerminal(own: Streams, noColor: boolean): Terminal {
  const { stdout, stderr } = own;
  const hasColour = stdout.isTTY === true && !noColor;
  const streams = { stdout, stderr };
  let isQuiet = false;
  let hasProgress = false;
  const warn = (line: string): void => {
    stderr.write(`${hasProgress ? CLEAR_LINE : ''}${visible(line)}\n`);
    hasProgress = false;
  };
  const ask = async (question: string): Promise<string> => {
    const { createInterface } = await import('node:readline/promises');
    const lines = createInterface({ input: own.stdin, output: stderr });
    // At the end of the input, too, or it would wait for ever.
    const answer = await Promise.race([
      lines.question(`${visible(question)} `),
      new Promise<string>((resolve) => lines.once('close', () => resolve(''))),
    ]);
    lines.close();
    return answer.trim();
  };
  return {
    get stdinIsTerminal() {
      return own.stdin.isTTY === true;
    },
    stdoutIsTerminal: stdout.isTTY === true,
    print: (line, style) => {
      const text = visible(line);
      const shown =
        hasColour && style !== undefined ? styleText(style, text, { validateStream: false }) : text;
      stdout.write(`${shown}\n`);
    },
    done: (line) => {
      if (!isQuiet) stdout.write(`${visible(line)}\n`);
    },
    note: (line) => {
      if (!isQuiet) warn(line);
    },
    warn,
    write: (text) => stdout.write(text),
    progress: (line) => {
      if (isQuiet || stderr.isTTY !== true) return;
      hasProgress = true;
      stderr.write(`${CLEAR_LINE}${visible(line)}`);
    },
    printJson: (value, to = 'stdout') => {
      const lines = JSON.stringify(value, null, 2).split('\n');
      streams[to].write(`${lines.map(visible).join('\n')}\n`);
    },
    readInput: (limit) => readBounded(own.stdin, limit),
    askHidden: (question) => readHidden(own.stdin, stderr, question),
    ask,
    confirm: async (question) => /^y(es)?$/i.test(await ask(`${question} [y/N]`)),
    beQuiet: () => {
      isQuiet = true;
    },
  };
}

// Control and format characters move the cursor, change colours or turn text around; the two joiners only
// shape letters and emoji. Written as JSON writes them, so the same rule serves text and JSON.
const steering = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;

/** The text with every character that could steer a terminal written out, for example `\u001b`. */
export function visible(text: string): string {
  return text.replace(steering, (found) =>
    Array.from(
      { length: found.length },
      (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** Reads a stream to its end. @throws Failure when it holds more than `limit` bytes */
export async function readBounded(stream: AsyncIterable<Buffer | string>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    if (length > limit)
      throw usageFailure(`There is more of it than is taken (${limit} bytes). Nothing was sent.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
