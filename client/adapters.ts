import { writeSync } from 'node:fs';
import { Transform, type TransformCallback, type Writable } from 'node:stream';
import { formatWithOptions, type InspectOptions, inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { parseJson } from './numbers.ts';
import type { Redactor } from './redaction.ts';
import { isError, scrubNumber } from './scrub.ts';

/** What has a `redact`: a {@link Redactor}, or one of your own. */
export interface Redacts {
  redact(text: string): string;
}

// All of these format their arguments alike; `table`, `group`, `assert`, `count` and the rest print by them.
const methods = ['log', 'info', 'debug', 'warn', 'error', 'trace', 'dirxml'] as const;

/**
 * Redacts all that a console prints: arguments are formatted as it would do, then redacted as one text.
 * @returns what puts the console back as it was
 */
export function redactConsole(redactor: Redacts, target: Console = console): () => void {
  const { log, dir } = target;
  const before = methods.map((name) => [name, target[name]] as const);
  for (const [name, print] of before) {
    target[name] = (...args: unknown[]) =>
      print.call(target, redactor.redact(formatWithOptions({}, ...args)));
  }
  // By `log`: its own would inspect the text once more.
  target.dir = (data: unknown, options?: InspectOptions) =>
    log.call(target, redactor.redact(inspect(data, { customInspect: false, ...options })));
  return () => {
    for (const [name, print] of before) target[name] = print;
    target.dir = dir;
  };
}

/**
 * Redacts what is thrown and nobody catches, before Node prints it and ends. What is no Error cannot be redacted
 * in place: unless somebody handles it after all, it is printed here, and the process ends as it would have.
 * @returns what stops that
 */
export function redactUncaught(redactor: Pick<Redactor, 'scrubError' | 'redact'>): () => void {
  const scrub = (thrown: unknown) => {
    if (isError(thrown)) redactor.scrubError(thrown);
    else if (isMainThread && !isHandled()) {
      writeSync(
        process.stderr.fd,
        `Uncaught:\n${redactor.redact(inspect(thrown))}\n\nNode.js ${process.version}\n`,
      );
      process.exit(1);
    }
  };
  // The monitor: whoever handles an error otherwise still does, and finds it scrubbed.
  process.on('uncaughtExceptionMonitor', scrub);
  return () => {
    process.off('uncaughtExceptionMonitor', scrub);
  };
}

function isHandled(): boolean {
  return process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
}

/**
 * Redacts all that is written to this process's stdout and stderr, by whatever function. What could be the
 * beginning of a value waits for the next write, or for the end of the process.
 * @returns what puts the streams back as they were
 */
export function redactOutput(
  redactor: Pick<Redactor, 'stream'>,
  streams: readonly Writable[] = [process.stdout, process.stderr],
): () => void {
  const restores = streams.map((target) => redactWrites(redactor, target));
  return () => {
    for (const restore of restores) restore();
  };
}

function redactWrites(redactor: Pick<Redactor, 'stream'>, target: Writable): () => void {
  const { write } = target;
  const stream = redactor.stream();
  let isLast = false;
  const settle = () => {
    isLast = true;
    write.call(target, Buffer.from(stream.flush(), 'latin1'), 'utf8');
  };
  target.write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8') : chunk;
    // By Latin-1, as below.
    const text = stream.feed(Buffer.from(bytes).toString('latin1')) + (isLast ? stream.flush() : '');
    const callback = [encoding, done].find((each) => typeof each === 'function');
    return write.call(target, Buffer.from(text, 'latin1'), 'utf8', callback as undefined | (() => void));
  };
  process.once('exit', settle);
  return () => {
    process.off('exit', settle);
    settle();
    target.write = write;
  };
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding);
}

/**
 * For pino: `pino({ hooks: pinoHooks(redactor) })`. Every line is redacted whole: bindings, message, error. It stays
 * JSON where a value stood as a number or as a Buffer's bytes, too.
 */
export function pinoHooks(redactor: Redacts): { streamWrite: (line: string) => string } {
  const replacer = jsonReplacer(redactor);
  return {
    streamWrite: (line) => {
      const redacted = redactor.redact(line);
      if (redacted === line || isJson(redacted) || !isJson(line)) return redacted;
      return redactor.redact(`${JSON.stringify(parseJson(line), replacer)}\n`);
    },
  };
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/**
 * For the Powertools logger (`new Logger({ jsonReplacerFn: jsonReplacer(redactor) })`) and for JSON.stringify:
 * redacts every string, number, name of a member and sequence of bytes that is written.
 */
export function jsonReplacer(redactor: Redacts): (key: string, value: unknown) => unknown {
  const redact = (text: string) => redactor.redact(text);
  return (_key, value) => {
    if (typeof value === 'string') return redact(value);
    if (typeof value === 'number' || typeof value === 'bigint') return scrubNumber(redact, value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const bytes = bytesOf(value);
    if (bytes !== undefined) {
      const text = bytes.toString('latin1');
      return redact(text) === text ? value : redact(text);
    }
    if (Object.keys(value).every((name) => redact(name) === name)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [redact(name), member]));
  };
}

/** Bytes, also as a Buffer's own toJSON has written them. */
function bytesOf(value: object): Buffer | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (!('type' in value) || value.type !== 'Buffer' || !('data' in value)) return undefined;
  return Array.isArray(value.data) ? Buffer.from(value.data) : undefined;
}

/**
 * A stream between another one and where it goes, for example a child process's output. Values are found across
 * the borders of chunks; bytes that are none, and what is no text at all, pass as they are.
 */
export class RedactingTransform extends Transform {
  readonly #stream: ReturnType<Redactor['stream']>;

  constructor(redactor: Pick<Redactor, 'stream'>) {
    super();
    this.#stream = redactor.stream();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Latin-1 maps every byte to one character and back; the redactor knows the values in that form as well.
    this.#pass(this.#stream.feed(chunk.toString('latin1')), done);
  }

  override _flush(done: TransformCallback): void {
    this.#pass(this.#stream.flush(), done);
  }

  #pass(text: string, done: TransformCallback): void {
    if (text === '') done();
    else done(null, Buffer.from(text, 'latin1'));
  }
}
