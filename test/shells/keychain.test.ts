import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debianProgram } from '../testkit/debian.ts';
import { environmentOf, startServer, type TestServer } from '../testkit/server.ts';

/** `fm login` with a real Secret Service, in a D-Bus session of its own that ends with each script. */

let server: TestServer;
let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  debianProgram('dbus-run-session', ['dbus']);
  debianProgram('gnome-keyring-daemon', ['gnome-keyring']);
  debianProgram('secret-tool', ['libsecret-tools']);
  debianProgram('strace', ['strace']);
  server = await startServer();
  home = mkdtempSync(join(tmpdir(), 'fm-keychain-'));
  for (const folder of ['bin', 'run', 'data', 'tmp']) mkdirSync(join(home, folder), { mode: 0o700 });
  symlinkSync(join(import.meta.dirname, '../../cli/fm.cjs'), join(home, 'bin/fm'));
  env = {
    ...environmentOf({
      PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: home,
      TMPDIR: join(home, 'tmp'),
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: join(home, 'data'),
      XDG_RUNTIME_DIR: join(home, 'run'),
      URL: server.url,
      KEY: server.adminKey,
    }),
    DBUS_SESSION_BUS_ADDRESS: undefined,
  };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const UNLOCK = 'printf pw | gnome-keyring-daemon --unlock --components=secrets > /dev/null 2>&1\n';
const LOGIN = 'printf %s "$KEY" | fm login --api-url "$URL"';

function inSession(script: string) {
  const { stdout, stderr, status } = spawnSync('dbus-run-session', ['--', 'bash', '-c', script], {
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { stdout, status, said: stderr.replace(/^dbus-daemon.*\n/gm, '') };
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile());
}

test('the key is in the Secret Service: in no file, in no argument, and for no other server', () => {
  const profile = join(home, 'flowmason/profiles/mine.json');
  const run = inSession(`${UNLOCK}
strace -f -qq -e trace=execve -s 4096 -o "$HOME/exec.log" sh -c '${LOGIN} --profile mine'
fm secrets list --profile mine --json
sed -i 's#"http://127.0.0.1:[0-9]*/"#"http://127.0.0.1:9/"#' ${profile}
fm secrets list --profile mine`);
  expect(run.stdout).toContain(`The key is in the Secret Service; ${profile} names the server.`);
  expect(run.stdout).toMatch(/\n\[\]\n$/);
  // Whoever writes another server into the file does not get the key sent there.
  expect(run.said).toContain('is in a keychain, which does not give it here');
  expect(run.status).toBe(2);
  expect(readFileSync(join(home, 'exec.log'), 'utf8')).toContain('"secret-tool", "store"');
  for (const file of filesBelow(home))
    expect([file, readFileSync(file).includes(server.adminKey)]).toEqual([file, false]);
});

test('without one the key goes to a file that only its owner can read, and that is said', () => {
  const nobody = inSession(`${LOGIN} --profile plain`);
  const profile = join(home, 'flowmason/profiles/plain.json');
  expect(nobody.stdout).toContain(`The key is in ${profile}, which only you can read.`);
  expect(nobody.said).toContain('fm: the Secret Service did not take the key.');
  expect(nobody.status).toBe(0);
  expect(statSync(profile).mode & 0o777).toBe(0o600);
  expect(inSession('fm secrets list --profile plain --json')).toMatchObject({ stdout: '[]\n', status: 0 });
});

test('and so it does where that is asked for', () => {
  const run = inSession(`${UNLOCK}${LOGIN} --no-keychain --profile asked`);
  expect(run.stdout).toContain('profiles/asked.json, which only you can read.');
  expect(run).toMatchObject({ status: 0, said: '' });
});
