import { Console } from 'node:console';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { jsonReplacer, pinoHooks, RedactingTransform, redactConsole } from '../../../client/adapters.ts';
import { Redactor } from '../../../client/redaction.ts';
import { Random, testSeed } from '../../testkit/random.ts';

const key = 'sk-live-4eC39HqLyjWDarjtT1zdp7dc';
const word = 'pässwörd-of-the-database';
const redactor = new Redactor([key, word]);

/** A console, and what it printed so far. */
function newConsole() {
  let printed = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  return { target: new Console({ stdout: stream, stderr: stream, colorMode: false }), read: () => printed };
}

describe('a console', () => {
  test('prints nothing that is known, by whatever method', () => {
    const { target, read } = newConsole();
    redactConsole(redactor, target);
    const holder = { key, deep: { a: { b: { c: [word] } } } };
    target.log('a %s b', key, holder);
    target.info(holder);
    target.debug(Buffer.from(key).toString('base64'));
    target.warn(new Error(`refused ${key}`, { cause: new Error(word) }));
    target.error('%o %j', holder, holder);
    target.trace(key);
    target.dir(holder, { depth: 9 });
    target.dirxml(holder, key);
    target.table([{ key }, { key: word }]);
    target.group(key);
    target.groupEnd();
    target.assert(false, key);
    target.count(key);
    target.time(key);
    target.timeLog(key, word);
    target.timeEnd(key);
    expect(read()).toMatch(/^a sk-\*{4}\.\.\.\*{4} b \{/);
    expect(read()).not.toMatch(/4eC39HqLyjWDarjtT1zdp7dc|pässwörd-of-the-database/);
    expect(read()).not.toContain(Buffer.from(key).toString('base64').slice(8, -4));
  });

  test('prints all else as it was, and is put back', () => {
    const plain = newConsole();
    const redacted = newConsole();
    const restore = redactConsole(redactor, redacted.target);
    for (const { target } of [plain, redacted]) {
      target.log('%s is %d', 'ten', 10, { a: [1, { b: 'c' }] });
      target.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
      target.table([{ a: 1 }]);
      target.log();
    }
    expect(redacted.read()).toBe(plain.read());
    restore();
    redacted.target.log(key);
    expect(redacted.read()).toContain(key);
  });
});

test('a line of pino', () => {
  const { streamWrite } = pinoHooks(redactor);
  const line = `${JSON.stringify({ level: 30, key, err: { message: `no ${word}` }, msg: `with ${key}` })}\n`;
  expect(JSON.parse(streamWrite(line))).toEqual({
    level: 30,
    key: 'sk-****...****',
    err: { message: 'no ****...****' },
    msg: 'with sk-****...****',
  });
  expect(streamWrite('{"level":30}\n')).toBe('{"level":30}\n');
});

test('a replacer of JSON, as Powertools takes one', () => {
  const entry = { message: `with ${key}`, n: 1, none: null, error: { stack: `Error: ${word}\n  at x` } };
  expect(JSON.parse(JSON.stringify(entry, jsonReplacer(redactor)))).toEqual({
    message: 'with sk-****...****',
    n: 1,
    none: null,
    error: { stack: 'Error: ****...****\n  at x' },
  });
});

describe('a stream', () => {
  async function through(bytes: Buffer, size: number): Promise<Buffer> {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const out: Buffer[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        out.push(chunk);
        done();
      },
    });
    await pipeline(Readable.from(chunks), new RedactingTransform(redactor), sink);
    return Buffer.concat(out);
  }

  test.each([1, 2, 3, 7, 31, 1000])('in chunks of %i, through characters and values', async (size) => {
    const text = `ünï ${word}${key} ${encodeURIComponent(word)} 😀 ${word.slice(0, -1)}`;
    const redacted = await through(Buffer.from(text), size);
    expect(redacted.toString()).toBe(`ünï ****...****sk-****...**** ****...**** 😀 ${word.slice(0, -1)}`);
  });

  test('leaves bytes that are no text alone', async () => {
    const random = new Random(testSeed());
    const bytes = Buffer.from(Array.from({ length: 100_000 }, () => random.below(256)));
    expect((await through(bytes, 1000)).equals(bytes)).toBe(true);
  });

  test('gives out at once what can be no value', async () => {
    const stream = new RedactingTransform(redactor);
    const out = new PassThrough();
    stream.pipe(out);
    stream.write('ready at http://127.0.0.1:1\n');
    expect(String(await new Promise((resolve) => out.once('data', resolve)))).toBe(
      'ready at http://127.0.0.1:1\n',
    );
    stream.end();
  });
});

describe('errors', () => {
  test('with all that they hold, in place', () => {
    const cause = Object.assign(new Error(`cause ${word}`), {
      config: { headers: { auth: `Bearer ${key}` } },
    });
    const error = new AggregateError([new TypeError(key)], `failed with ${key}`, { cause });
    expect(redactor.scrubError(error)).toBe(error);
    expect(error.message).toBe('failed with sk-****...****');
    expect(error.cause).toBe(cause);
    expect(cause.config.headers.auth).toBe('Bearer sk-****...****');
    for (const text of [
      error.stack,
      cause.stack,
      cause.message,
      String(error.errors[0]),
      error.errors[0].stack,
    ])
      expect(text).not.toMatch(/4eC39HqLyjWDarjtT1zdp7dc|pässwörd/);
  });

  test('that point at themselves, are frozen, or come from another realm', () => {
    const loop = new Error(key);
    loop.cause = loop;
    redactor.scrubError(loop);
    expect(loop.message).toBe('sk-****...****');
    expect(() => redactor.scrubError(Object.freeze(new Error('plain')))).not.toThrow();
    const foreign = runInNewContext(`new Error(${JSON.stringify(key)})`);
    expect(redactor.scrubError(foreign)).toHaveProperty('message', 'sk-****...****');
    expect(redactor.scrubError('text')).toBe('text');
    const getter = Object.defineProperty(new Error('x'), 'body', { get: () => 'plain', enumerable: true });
    expect(() => redactor.scrubError(getter)).not.toThrow();
  });
});

describe('data', () => {
  test('is copied, keys too, and the original stays', () => {
    const data = {
      [key]: 1,
      list: [word, 7, null, undefined, true],
      at: new Date(0),
      deep: { text: `a ${key}` },
    };
    const before = structuredClone(data);
    expect(redactor.scrub(data)).toEqual({
      'sk-****...****': 1,
      list: ['****...****', 7, null, undefined, true],
      at: new Date(0),
      deep: { text: 'a sk-****...****' },
    });
    expect(data).toEqual(before);
  });

  test('of every shape', () => {
    const loop: { self?: unknown; key: string } = { key };
    loop.self = loop;
    const scrubbed = redactor.scrub(loop);
    expect(scrubbed).toMatchObject({ key: 'sk-****...****', self: { key: 'sk-****...****' } });
    expect(redactor.scrub(new Map([[key, new Set([word])]]))).toEqual(
      new Map([['sk-****...****', new Set(['****...****'])]]),
    );
    expect(redactor.scrub({ toJSON: () => key })).toBe('sk-****...****');
    expect(redactor.scrub(JSON.parse(`{"__proto__":{"a":"${key}"}}`))).toEqual(
      JSON.parse('{"__proto__":{"a":"sk-****...****"}}'),
    );
    const bytes = Buffer.from(`a ${word} b`);
    expect(String(redactor.scrub(bytes))).toBe('a ****...**** b');
    const clean = new Uint8Array([0, 255, 128]);
    expect(redactor.scrub(clean)).toBe(clean);
  });
});
