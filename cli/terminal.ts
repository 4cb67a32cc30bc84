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
  readonly stderrIsTerminal: boolean;
  /** One line of the result, on stdout. A line break within it is shown, not made. */
  print(line: string, style?: 'bold'): void;
  /** One line beside the result, on stderr. */
  note(line: string): void;
  /** JSON on stdout, or on stderr for problems. */
  printJson(value: unknown, to?: 'stdout' | 'stderr'): void;
  /** All of stdin. @throws Failure when it is longer than `limit` bytes */
  readInput(limit: number): Promise<Buffer>;
  /** Asks for a line that is not echoed, not even its length. */
  askHidden(question: string): Promise<string>;
  /** Asks for a yes; anything else is a no. */
  confirm(question: string): Promise<boolean>;
}

/** Makes the terminal of one process. Colours only on a terminal that did not ask for none. */
export function createTerminal(own: Streams, noColor: boolean): Terminal {
  const { stdout, stderr } = own;
  const hasColour = stdout.isTTY === true && !noColor;
  const streams = { stdout, stderr };
  return {
    get stdinIsTerminal() {
      return own.stdin.isTTY === true;
    },
    stderrIsTerminal: stderr.isTTY === true,
    print: (line, style) => {
      const text = visible(line);
      const shown =
        hasColour && style !== undefined ? styleText(style, text, { validateStream: false }) : text;
      stdout.write(`${shown}\n`);
    },
    note: (line) => stderr.write(`${visible(line)}\n`),
    printJson: (value, to = 'stdout') => {
      const lines = JSON.stringify(value, null, 2).split('\n');
      streams[to].write(`${lines.map(visible).join('\n')}\n`);
    },
    readInput: (limit) => readBounded(own.stdin, limit),
    askHidden: (question) => readHidden(own.stdin, stderr, question),
    confirm: async (question) => {
      const { createInterface } = await import('node:readline/promises');
      const lines = createInterface({ input: own.stdin, output: stderr });
      const answer = await lines.question(`${visible(question)} [y/N] `);
      lines.close();
      return /^y(es)?$/i.test(answer.trim());
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
    if (length > limit) throw usageFailure('The value is longer than a secret can be (64 KiB).');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
