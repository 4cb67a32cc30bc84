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

/** Times, ids and keys as words, so that a transcript can be compared. */
function steady({ code, stdout, stderr }: CliRun): string {
  const text = `${stdout}${stderr === '' ? '' : `! ${stderr.trimEnd().replaceAll('\n', '\n! ')}\n`}= ${code}`;
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\d/g, 'DAY')
    .replace(/fmk_[A-Za-z0-9_]+/g, 'KEY')
    .replace(/fmr_\S+/g, 'TOKEN')
    .replace(/\b[A-Za-z0-9]{16}\b/g, 'ID')
    .replace(/run_[0-9a-f-]{36}/g, 'RUN')
    .replace(/ {2,}/g, '  ');
}

test.each([
  ['secrets set api_key', 'v1\n', 'api_key is stored as version 1.\n= 0'],
  ['secrets set api_key -', 'v2', 'api_key is stored as version 2.\n= 0'],
  [
    'secrets set api_key v3 --env staging',
    '',
    'api_key is stored as version 1 for environment staging.\n= 0',
  ],
  [
    'secrets set token t --scope pipeline --pipeline p',
    '',
    'token is stored as version 1 for pipeline p.\n= 0',
  ],
  [
    'secrets list',
    '',
    'NAME  SCOPE  CREATED  LAST_ROTATED\napi_key  org  DAY  DAY\napi_key  org  DAY  -\ntoken  pipeline  DAY  -\n= 0',
  ],
  [
    'secrets list --env staging --wide',
    '',
    'NAME  SCOPE  CREATED  LAST_ROTATED  ENVIRONMENT  OWNER  VERSION  NEXT_ROTATION\napi_key  org  DAY  -  staging  -  1  -\n= 0',
  ],
  ['secrets list --prefix none_such', '', 'NAME  SCOPE  CREATED  LAST_ROTATED\n= 0'],
  [
    'secrets get api_key --env none',
    '',
    'name: api_key\nscope: org\ncreated_at: TIME\ncreated_by: first admin key\nlast_rotated: TIME\ndescription: -\nmetadata: -\nversion: 2\n= 0',
  ],
  ['secrets rotate api_key v4 --env none --reason leaked', '', 'api_key is rotated to version 3.\n= 0'],
  [
    'secrets rotate api_key v5 --env none --expected-version 1',
    '',
    '! fm: The secret was changed meanwhile. The current version is 3, not 1. Look again and repeat.\n! Look at fm secrets history, then try again with the current version.\n= 5',
  ],
  [
    'secrets rollback api_key --to 1 --env none',
    '',
    'api_key has the value of version 1 again, as version 4.\n= 0',
  ],
  [
    'secrets history api_key --env none',
    '',
    'VERSION  ROTATED_AT  BY  REASON\n4 *  TIME  first admin key  Roll back to version 1\n3  TIME  first admin key  leaked\n2  TIME  first admin key  Set again\n1  TIME  first admin key  Initial creation\n= 0',
  ],
  [
    'secrets get api_key',
    '',
    '! fm: More than one secret matches. Say which one is meant: scope=org&environment=none or scope=org&environment=staging.\n!  --scope org --env none\n!  --scope org --env staging\n! Say which one with --scope, --pipeline, --user and --env (--env none for no environment).\n= 5',
  ],
  [
    'secrets delete token',
    '',
    'token is deleted. It can be restored until DAY: fm secrets restore token\n= 0',
  ],
  ['secrets list --deleted', '', 'NAME  SCOPE  CREATED  LAST_ROTATED\ntoken  pipeline  DAY  -\n= 0'],
  [
    'secrets set token t --scope pipeline --pipeline p',
    '',
    '! fm: A deleted secret holds these coordinates. Restore it, or delete it for good with recovery_days=0 first.\n! Bring it back with fm secrets restore, or remove it with fm secrets delete --recovery-days 0.\n= 5',
  ],
  ['secrets restore token', '', 'token is back, at version 1 for pipeline p.\n= 0'],
  ['secrets delete token --recovery-days 0', '', 'token is removed for good.\n= 0'],
  [
    'secrets get token',
    '',
    '! fm: There is no such thing here. No such secret that this credential may see. List the secrets to find its name.\n! What there is: fm secrets list --wide\n= 3',
  ],
  [
    'secrets audit verify',
    '',
    expect.stringMatching(/^The log is whole: \d+ records, \d+ signed checkpoints\.\n= 0$/),
  ],
  [
    'keys create orchestrator --role runtime --env staging',
    '',
    'id: ID\nname: orchestrator\nrole: runtime\napi_key: KEY\n! The key is shown this once: keep it where only its user can read it.\n= 0',
  ],
  [
    'keys revoke AAAAAAAAAAAAAAAA',
    '',
    '! fm: There is no such thing here. No API key of this id. List the keys to find it.\n! What there is: fm keys list\n= 3',
  ],
  [
    'keys create k',
    '',
    "! fm: Wrong usage. Required option '--role <role>' not specified.\n! Help: add --help to the command.\n= 2",
  ],
  ['secrets', '', expect.stringMatching(/Usage: fm secrets/)],
  ['nonsense', '', "! fm: Wrong usage. Unknown command 'nonsense'.\n! Help: add --help to the command.\n= 2"],
  [
    'secrets set 1x v',
    '',
    '! fm: The request is not valid.\n!  NAME: must be a letter, then at most 127 letters, digits, _ or -\n= 2',
  ],
  [
    'secrets set x --metadata {',
    '',
    '! fm: Wrong usage. --metadata takes JSON, for example --metadata \'{"provider": "openai"}\'.\n= 2',
  ],
  ['secrets set x --rotation-days soon', '', '! fm: Wrong usage. --rotation-days takes a whole number.\n= 2'],
  ['secrets set x', '', '! fm: Wrong usage. The value is empty. Nothing was sent.\n= 2'],
])('fm %s', async (args, input, expected) => {
  expect(steady(await fm(args, input))).toEqual(expected);
});

test('a run, begun and ended by a runtime key', async () => {
  const key = JSON.parse((await fm('keys create rt --role runtime --json')).stdout).api_key;
  const asRuntime = (args: string) => runFm(args.split(' '), { ...settings, FM_API_KEY: key });
  const started = await asRuntime('runs start --pipeline p --env staging --run-id r1');
  expect(steady(started)).toContain('run_id: r1\nrun_token: TOKEN\nexpires_at: TIME\n');
  expect(steady(await asRuntime('runs show r1'))).toContain('pipeline_id: p\nenvironment: staging\n');
  expect(steady(await asRuntime('runs end r1'))).toBe('r1 has ended.\n= 0');
  expect((await fm('runs start --pipeline p --env staging')).code).toBe(4);
  expect((await asRuntime('secrets set x v')).code).toBe(4);
});

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
    expect(run).toMatchObject({ code: 0, stderr: '' });
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
});
