import { Console } from 'node:console';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runInNewContext } from 'node:vm';
import { Logger } from '@aws-lambda-powertools/logger';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import {
  jsonReplacer,
  pinoHooks,
  RedactingTransform,
  redactConsole,
  redactOutput,
} from '../../../client/adapters.ts';
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

/** What a logger is told that it should not say. */
const held = Object.assign(new Error(`refused ${key}`, { cause: new Error(word) }), {
  config: { headers: { authorization: `Bearer ${key}` } },
});
const careless = {
  ...{ key, [key]: 1, list: [word, { word }], bytes: Buffer.from(key), id: 12345678901234567890n },
  ...{ encoded: Buffer.from(`user:${key}`).toString('base64'), pin: 1234567890 },
};
const leaks = /4eC39HqLyjWDarjtT1zdp7dc|pässwörd|NGVDMzlIcUx5alc|1234567890|115,107,45,108|73 6b 2d 6c/;
const redactsNumbers = new Redactor([key, word, '1234567890', '12345678901234567890']);

test('pino, whatever it is told', () => {
  let printed = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  const { id: _bigint, ...data } = careless;
  const log = pino({ level: 'trace', hooks: pinoHooks(redactsNumbers), base: { [word]: key } }, sink);
  log.info(`with ${key}`);
  log.warn(data, 'the %s of %o', key, [word]);
  log.error(held, word);
  log.child({ tenant: key }, { msgPrefix: word }).fatal({ err: held, deep: { data } });
  log.info({ plain: 'as it is', n: 7 }, 'nothing of it');
  const lines = printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ level }) => level)).toEqual([30, 40, 50, 60, 30]);
  expect(lines[0]).toMatchObject({ '****...****': 'sk-****...****', msg: 'with sk-****...****' });
  expect(lines[4]).toMatchObject({ plain: 'as it is', n: 7, msg: 'nothing of it' });
  expect(printed).not.toMatch(leaks);
});

test('the logger of Powertools, whatever it is told', () => {
  let printed = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk);
    return true;
  });
  const errors = vi.spyOn(process.stderr, 'write').mockImplementation(process.stdout.write);
  try {
    const options = { serviceName: 'test', jsonReplacerFn: jsonReplacer(redactsNumbers) } as const;
    const log = new Logger({ ...options, persistentKeys: { tenant: key, [word]: 1 } });
    log.info(`with ${key}`, careless);
    log.error(word, held);
    log.error('twice', { error: held, deep: { careless } });
    log
      .createChild({ persistentKeys: { child: word } })
      .warn('the child', { bytes: new Uint8Array(Buffer.from(word)) });
    log.info('nothing of it', { plain: 'as it is', n: 7, bytes: Buffer.from([1, 2]) });
  } finally {
    write.mockRestore();
    errors.mockRestore();
  }
  const lines = printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ level }) => level)).toEqual(['INFO', 'ERROR', 'ERROR', 'WARN', 'INFO']);
  expect(lines[0]).toMatchObject({
    message: 'with sk-****...****',
    tenant: 'sk-****...****',
    key: 'sk-****...****',
  });
  expect(lines[4]).toMatchObject({ plain: 'as it is', n: 7, bytes: { type: 'Buffer', data: [1, 2] } });
  expect(printed).not.toMatch(leaks);
});

describe('what is written to a stream directly', () => {
  /** A stream whose writes are redacted, and what came out so far. */
  function newOutput() {
    let printed = Buffer.alloc(0);
    const target = new Writable({
      decodeStrings: false,
      write(chunk, encoding, done) {
        printed = Buffer.concat([printed, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk]);
        done();
      },
    });
    return { target, restore: redactOutput(redactor, [target]), read: () => printed.toString() };
  }

  test('as text of any encoding or as bytes, in pieces and mixed', () => {
    const { target, restore, read } = newOutput();
    target.write(`ü ${key.slice(0, 9)}`);
    expect(read()).toBe('ü ');
    target.write(Buffer.from(key.slice(9)).toString('hex'), 'hex');
    target.write(new Uint8Array(Buffer.from(` ${word}\n`)));
    target.write(Buffer.from(word).toString('base64'));
    target.write('end sk-l');
    restore();
    target.write(` ${key}`);
    expect(read()).toBe(`ü sk-****...**** ****...****\n****...****U=end sk-l ${key}`);
  });

  test('tells when it is written, also when all of it waits', async () => {
    const { target, restore, read } = newOutput();
    await new Promise<void>((done) => target.write('sk-live-', () => done()));
    await new Promise<void>((done) => target.write('plain', 'utf8', () => done()));
    expect(read()).toBe('sk-live-plain');
    restore();
    expect(process.listeners('exit').map(({ name }) => name)).not.toContain('settle');
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
      deep: { text: `a ${key}`, pin: 1234567890, id: 1234567890n },
    };
    const before = structuredClone(data);
    expect(redactsNumbers.scrub(data)).toEqual({
      'sk-****...****': 1,
      list: ['****...****', 7, null, undefined, true],
      at: new Date(0),
      deep: { text: 'a sk-****...****', pin: '****...****', id: '****...****' },
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
