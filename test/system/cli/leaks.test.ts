import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findForms } from '../../testkit/encodings.ts';
import { environmentOf, startServer, type TestServer } from '../../testkit/server.ts';

/** A session of everything that touches a value, in an interactive bash that keeps its history. */

const CANARY = 'hunter2-canary-4711-and-some-more';
let server: TestServer;
let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startServer();
  home = mkdtempSync(join(tmpdir(), 'fm-leaks-'));
  for (const folder of ['bin', 'tmp']) mkdirSync(join(home, folder));
  symlinkSync(join(import.meta.dirname, '../../../cli/fm.cjs'), join(home, 'bin/fm'));
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
  env = environmentOf({
    PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    XDG_CONFIG_HOME: home,
    TMPDIR: join(home, 'tmp'),
    HISTFILE: join(home, '.history'),
    FM_API_URL: server.url,
    FM_API_KEY: server.adminKey,
    RUNTIME: made.body.api_key,
    CANARY_IN: CANARY,
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

// $CANARY_IN stands for where a value comes from: the shell's history has its name, and not the value.
const session = `set -o history
printf %s "$CANARY_IN" | fm secrets set piped
printf %s "$CANARY_IN" | fm secrets rotate piped --reason again
printf '{"imported": "%s"}' "$CANARY_IN" | fm secrets import - --from json --apply
printf 'no json %s' "$CANARY_IN" | fm secrets import - --from json
printf '{"a": [%s' "$CANARY_IN" | fm secrets check - --env staging
printf %s "$CANARY_IN" | FM_API_URL=http://127.0.0.1:45999 fm secrets set piped
printf %s "$CANARY_IN" | fm secrets set piped --json
printf %s "$CANARY_IN" | NODE_DEBUG=http,net fm secrets set 1x
fm secrets get piped
fm secrets history piped --json
export FM_API_KEY=$RUNTIME
fm secrets run --env staging -- sh -c 'echo "$PIPED"; echo "$PIPED" | base64 -w0; tr "\\0" " " < /proc/$$/cmdline; tr "\\0" " " < /proc/$PPID/cmdline'
fm secrets run --env staging -- node -e 'throw new Error(process.env.PIPED)'
fm secrets run --env staging -- no-such-command
eval "$(fm secrets export --env staging --format bash)"
test "$PIPED" = "$CANARY_IN" && echo it came
fm secrets export --env staging --format nonsense
history -a
`;

test('no value on a terminal, in the history, in an argument of a process, or in a file', () => {
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-i'], {
    input: session,
    env,
    cwd: home,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stdout).toContain('it came');
  // What bash itself shows is the session's text; the value itself is in no line of it.
  const shown = stdout + stderr;
  expect(findForms(CANARY, Buffer.from(shown))).toEqual([]);
  expect(readFileSync(join(home, '.history'), 'utf8')).toContain('fm secrets run');
  const built = join(import.meta.dirname, '../../../dist');
  for (const folder of [home, server.dataDir, built]) {
    for (const file of filesBelow(folder)) {
      expect([file, findForms(CANARY, readFileSync(file))]).toEqual([file, []]);
    }
  }
  expect(server.said()).not.toContain(CANARY);
});

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile());
}

test('the looking finds what is there: a value in an argument stays in the history', () => {
  const input = `set -o history\nfm secrets set typed ${CANARY}\nhistory -a\n`;
  const typed = spawnSync('bash', ['--norc', '-i'], { input, env, cwd: home, encoding: 'utf8' });
  expect(typed.stderr).toContain('the shell’s history and the list of processes saw this value');
  expect(readFileSync(join(home, '.history'), 'utf8')).toContain(CANARY);
});
