import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Exchange, onTerminal } from '../../testkit/pty.ts';
import { auditSettled, startServer, type TestServer } from '../../testkit/server.ts';

let server: TestServer;
let settings: Record<string, string>;
let home: string;

beforeAll(async () => {
  server = await startServer();
  settings = { FM_API_URL: server.url, FM_API_KEY: server.adminKey };
  home = mkdtempSync(join(tmpdir(), 'fm-terminal-'));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

const CANARY = 'hunter2-canary';
const fm = (line: string, exchanges: readonly Exchange[] = [], more: Record<string, string> = {}) =>
  onTerminal([process.execPath, 'cli/fm.cjs', ...line.split(' ')], { ...settings, ...more }, exchanges);

describe('a value is asked for without an echo', () => {
  test('and stored', async () => {
    const { shown, code } = await fm('secrets set asked', [['Value of asked: ', `${CANARY}\r`]]);
    expect(code).toBe(0);
    expect(shown).toContain('asked is stored as version 1.');
    expect(shown).not.toContain('hunter2');
  });

  test('control-C stores nothing', async () => {
    const { shown, code } = await fm('secrets set never', [['Value of never: ', 'abc\u0003']]);
    expect([code, shown]).toEqual([1, expect.stringContaining('Cancelled. Nothing was sent.')]);
  });
});

describe('production asks for its name', () => {
  const question = 'This changes production. Its name, to go on:';
  const set = 'secrets set db --env production --generate 20';

  test('another name changes nothing', async () => {
    const { shown, code } = await fm(set, [[question, 'staging\r']]);
    expect([code, shown]).toEqual([1, expect.stringContaining('Nothing was changed.')]);
    expect((await server.call('GET', '/api/v1/secrets/db')).status).toBe(404);
  });

  test('its name goes on, and the value that was made is not shown', async () => {
    const { shown, code } = await fm(set, [[question, 'production\r']]);
    expect([code, shown]).toEqual([0, expect.stringContaining('db is stored as version 1')]);
    expect(shown).not.toMatch(/[A-Za-z0-9]{20}/);
  });

  test('and then for the value, without an echo', async () => {
    const { shown, code } = await fm('secrets set db2 --env production', [
      [question, 'production\r'],
      ['Value of db2: ', `${CANARY}\r`],
    ]);
    expect([code, shown]).toEqual([0, expect.stringContaining('db2 is stored as version 1')]);
    expect(shown).not.toContain('hunter2');
  });

  test('also when the secret turns out to be production’s', async () => {
    const { shown, code } = await fm('secrets rotate db --generate 20', [[question, '\r']]);
    expect([code, shown]).toEqual([1, expect.stringContaining('Not confirmed')]);
  });

  test('also when an import says by itself that it goes there', async () => {
    const script = `echo '[{"name": "db", "value": "other", "environment": "production"}]' > ${home}/own.json; exec "$0" cli/fm.cjs secrets import ${home}/own.json --from json --apply --on-conflict replace`;
    const { shown, code } = await onTerminal(['sh', '-c', script, process.execPath], settings, [
      [question, 'no\r'],
    ]);
    expect([code, shown]).toEqual([1, expect.stringContaining('Nothing was changed.')]);
  });

  test('--yes does not ask, nor does another environment', async () => {
    expect((await fm(`${set} --yes`)).shown).not.toContain(question);
    expect(await fm('secrets set db --env staging --generate 20')).toMatchObject({ code: 0 });
  });
});

test('who resolved it is said before it is deleted, and a no keeps it', async () => {
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' });
  const place = { environment: 'staging', pipeline_id: 'content' };
  await server.call('POST', '/api/v1/resolve', { config: '{{secrets.asked}}', ...place }, made.body.api_key);
  await auditSettled(server);
  const kept = await fm('secrets delete asked', [['Delete asked? [y/N]', 'n\r']]);
  expect(kept.shown).toContain('Resolved in the last 24 hours by pipeline content (1).');
  expect(kept.shown).toContain('Nothing was removed.');
  const gone = await fm('secrets delete asked', [['Delete asked? [y/N]', 'y\r']]);
  expect(gone).toMatchObject({ code: 0, shown: expect.stringContaining('asked is deleted.') });
});

test('login asks for the address and, without an echo, the key', async () => {
  const { shown, code } = await fm(
    'login',
    [
      ['Address of the server:', `${server.url}\r`],
      ['API key for', `${server.adminKey}\r`],
    ],
    {
      FM_API_URL: '',
      FM_API_KEY: '',
      XDG_CONFIG_HOME: home,
    },
  );
  expect([code, shown]).toEqual([0, expect.stringContaining('as first admin key, admin, of default.')]);
  expect(shown).not.toContain(server.adminKey);
  const file = join(home, 'flowmason/profile.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8')).api_key).toBe(server.adminKey);
});

test('colours on a terminal, none with NO_COLOR', async () => {
  expect((await fm('secrets list')).shown).toContain('\u001b[1mNAME');
  expect((await fm('secrets list', [], { NO_COLOR: '1' })).shown).not.toContain('\u001b[');
});

test('values are not shown on a terminal unless that was meant', async () => {
  const { shown, code } = await fm('secrets export --env staging --format bash');
  expect([code, shown]).toEqual([2, expect.stringContaining('Nothing was resolved.')]);
});

test('a long import shows how far it is, on one line', async () => {
  const script = `node -e 'console.log(JSON.stringify(Object.fromEntries(Array.from({length: 120}, (_, i) => ["n" + i, "v" + i]))))' > ${home}/many.json; exec "$0" cli/fm.cjs secrets import ${home}/many.json --from json --apply`;
  const { shown, code } = await onTerminal(['sh', '-c', script, process.execPath], settings);
  expect(code).toBe(0);
  expect(shown).toContain('\r\u001b[K100 of 120 compared');
  expect(shown).toContain('\r\u001b[K120 of 120 written');
  expect(shown).toContain('Imported: create 120.');
});

test('what is run has the signals of the keys once', async () => {
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'r2', role: 'runtime' });
  const script =
    'trap "echo one interrupt" INT; echo ready; n=0; while [ $n -lt 20 ]; do sleep 0.1; n=$((n+1)); done; exit 5';
  const command = [
    process.execPath,
    'cli/fm.cjs',
    'secrets',
    'run',
    '--env',
    'staging',
    '--',
    'sh',
    '-c',
    script,
  ];
  const run = await onTerminal(command, { ...settings, FM_API_KEY: made.body.api_key }, [
    ['ready', '\u0003'],
  ]);
  expect(run.code).toBe(5);
  expect(run.shown.match(/one interrupt/g)).toHaveLength(1);
});
