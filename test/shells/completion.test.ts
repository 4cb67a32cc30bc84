import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debianProgram } from '../testkit/debian.ts';
import { onTerminal } from '../testkit/pty.ts';
import { startServer, type TestServer } from '../testkit/server.ts';

/** What completes `fm`, typed with tabulators into each shell as it runs on a terminal. */

let server: TestServer;
let home: string;

beforeAll(async () => {
  server = await startServer();
  home = mkdtempSync(join(tmpdir(), 'fm-completion-'));
  mkdirSync(join(home, 'bin'));
  mkdirSync(join(home, 'fish'));
  symlinkSync(join(import.meta.dirname, '../../cli/fm.cjs'), join(home, 'bin/fm'));
  const body = { name: 'unique_name', value: 'some-value-of-it', environment: 'staging' };
  expect((await server.call('POST', '/api/v1/secrets', body)).status).toBe(201);
  writeFileSync(join(home, 'bashrc'), `PS1='ready> '\neval "$(fm completion bash)"\n`);
  writeFileSync(
    join(home, '.zshrc'),
    `PS1='ready> '\nautoload -Uz compinit && compinit -u -D\neval "$(fm completion zsh)"\n`,
  );
  writeFileSync(
    join(home, 'fish/config.fish'),
    `function fish_prompt; echo -n 'ready> '; end\nset -g fish_greeting\nfm completion fish | source\n`,
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

test.each([
  ['bash', ['--noprofile', '--rcfile', 'bashrc', '-i']],
  ['zsh', ['-i']],
  ['fish', ['-i']],
])('%s completes commands, names, environments and options', async (shell, args) => {
  const program = debianProgram(shell, [shell]);
  const { shown } = await onTerminal(
    [program, ...args.map((arg) => (arg === 'bashrc' ? join(home, arg) : arg))],
    {
      PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: home,
      ZDOTDIR: home,
      XDG_CONFIG_HOME: home,
      FM_API_URL: server.url,
      FM_API_KEY: server.adminKey,
    },
    [
      ['ready> ', 'fm secr\tge\tuniq\t--env stag\t--js\t\n'],
      ['"deleted_at"', 'exit\n'],
    ],
  );
  expect(shown).toContain('"name": "unique_name"');
  expect(shown).toContain('"environment": "staging"');
});
