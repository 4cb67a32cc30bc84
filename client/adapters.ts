import { Transform, type TransformCallback } from 'node:stream';
import { formatWithOptions, type InspectOptions, inspect } from 'node:util';
import type { Redactor } from './redaction.ts';

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
 * Redacts errors that nobody catches, before Node prints them and ends. What is thrown and is no Error passes.
 * @returns what stops that
 */
export function redactUncaught(redactor: Pick<Redactor, 'scrubError'>): () => void {
  const scrub = (error: unknown) => redactor.scrubError(error);
  // The monitor: whoever handles the error otherwise still does, and finds it scrubbed.
  process.on('uncaughtExceptionMonitor', scrub);
  return () => {
    process.off('uncaughtExceptionMonitor', scrub);
  };
}

/** For pino: `pino({ hooks: pinoHooks(redactor) })`. Every line is redacted whole: bindings, message, error. */
export function pinoHooks(redactor: Redacts): { streamWrite: (line: string) => string } {
  return { streamWrite: (line) => redactor.redact(line) };
}

/**
 * For the Powertools logger (`new Logger({ jsonReplacerFn: jsonReplacer(redactor) })`) and for JSON.stringify:
 * redacts every string that is written.
 */
export function jsonReplacer(redactor: Redacts): (key: string, value: unknown) => unknown {
  return (_key, value) => (typeof value === 'string' ? redactor.redact(value) : value);
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
