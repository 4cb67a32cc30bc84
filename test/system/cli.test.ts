import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliRun, runFm } from '../testkit/cli.ts';
import { newDataDir, startServer, type TestServer } from '../testkit/server.ts';

let server: TestServer;
let settings: Record<string, string>;
let folder: string;

beforeAll(async () => {
  server = await startServer();
  settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
  folder = newDataDir();
});
afterAll(() => server[Symbol.asyncDispose]());

const fm = (args: string, input?: string): Promise<CliRun> =>
  runFm(
    args.split(' ').filter((part) => part !== ''),
    settings,
    input,
  );

describe('settings', () => {
  test.each([
    ['no server named', {}, /Nothing names a server[\s\S]*npm start/, 2],
    [
      'a server without a key',
      { FM_API_URL: 'http://127.0.0.1:9' },
      /There is no API key for http:\/\/127\.0\.0\.1:9/,
      2,
    ],
    [
      'http beyond this machine',
      { FM_API_URL: 'http://example.com', FM_API_KEY: 'k' },
      /Use https:\/\/example\.com instead/,
      2,
    ],
    [
      'nobody there',
      { FM_API_URL: 'http://127.0.0.1:45999', FM_API_KEY: 'k' },
      /Is it running\? npm start/,
      1,
    ],
    ['a wrong key', { FM_API_KEY: 'fmk_wrong' }, /No valid credential/, 4],
  ])('%s', async (_what, own, said, code) => {
    const base = _what === 'a wrong key' ? { FM_API_URL: server.url } : {};
    const run = await runFm(['secrets', 'list'], { FM_DATA_DIR: join(folder, 'none'), ...base, ...own });
    expect([run.code, run.stdout, run.stderr]).toEqual([code, '', expect.stringMatching(said)]);
  });

  test('a profile file is taken when only its owner can read it', async () => {
    const file = join(folder, 'flowmason', 'profile.json');
    mkdirSync(join(folder, 'flowmason'));
    writeFileSync(file, JSON.stringify({ api_url: server.url, api_key: server.adminKey }), { mode: 0o644 });
    const own = { XDG_CONFIG_HOME: folder, FM_DATA_DIR: join(folder, 'none') };
    const shared = await runFm(['secrets', 'list'], own);
    expect([shared.code, shared.stderr]).toEqual([2, expect.stringContaining(`chmod 600 '${file}'`)]);
    chmodSync(file, 0o600);
    expect((await runFm(['secrets', 'list'], own)).code).toBe(0);
  });
});

describe('values come through byte by byte', () => {
  test.each([
    ['several lines', 'a\nb\n'],
    ['a CR and quotes', 'a\r"$(x)`\''],
    ['bytes that are no text', Buffer.from([0, 1, 254, 255]).toString('latin1')],
    ['the longest', 'x'.repeat(65_536)],
    ['emoji', '😀'],
  ])('%s, from a file', async (_what, text) => {
    const bytes = Buffer.from(text, _what.startsWith('bytes') ? 'latin1' : 'utf8');
    const file = join(folder, 'value');
    writeFileSync(file, bytes);
    const run = await runFm(['secrets', 'set', 'from_file', '--from-file', file], settings);
    expect(run).toMatchObject({ code: 0, stderr: expect.stringMatching(/^(fm: The value .*\n)?$/) });
    const key = JSON.parse((await fm('keys create r --role runtime --json')).stdout).api_key;
    const answer = await server.call(
      'POST',
      '/api/v1/resolve',
      { config: '{{secrets.from_file}}', environment: 'staging' },
      key,
    );
    const stored = _what.startsWith('bytes')
      ? Buffer.from(answer.body.config, 'base64')
      : Buffer.from(answer.body.config);
    expect(stored.equals(bytes)).toBe(true);
  });

  test.each([
    ['one line loses its line break', [], 'line\n', 'line'],
    ['also that of Windows', [], 'line\r\n', 'line'],
    ['and keeps it when that is said', ['--keep-newline'], 'line\n', 'line\n'],
    ['byte by byte', ['--keep-newline'], 'line\r\n', 'line\r\n'],
    ['several lines stay as they are', [], 'one\ntwo\n', 'one\ntwo\n'],
    ['and so does an empty line at the end', [], 'one\n\n', 'one\n\n'],
  ])('from standard input, %s', async (_what, flags, input, expected) => {
    const run = await runFm(['secrets', 'set', 'from_stdin', '-', ...flags], settings, input);
    expect(run.code).toBe(0);
    const key = JSON.parse((await fm('keys create r --role runtime --json')).stdout).api_key;
    const body = { config: '{{secrets.from_stdin}}', environment: 'staging' };
    expect((await server.call('POST', '/api/v1/resolve', body, key)).body.config).toBe(expected);
  });
});
