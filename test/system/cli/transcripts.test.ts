import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditSettled, environmentOf, startServer, type TestServer } from '../../testkit/server.ts';

/**
 * The transcripts beside this file, each against a server of its own: after `$ ` the line as it is typed in a
 * shell, then what it printed, what it said on stderr behind `! `, and its exit code behind `= `. Lines that
 * begin with `# ` are remarks. What differs from run to run stands as a word in capitals.
 *
 * $ADMIN, $EDITOR, $VIEWER and $RUNTIME are API keys of these roles; $FM_API_KEY is the admin's.
 * UPDATE_TRANSCRIPTS=1 writes down what happens now; look at the difference before you keep it.
 */

interface Step {
  readonly remarks: readonly string[];
  readonly line: string;
  readonly expected: string;
}

const folder = import.meta.dirname;
const names = readdirSync(folder).filter((file) => file.endsWith('.txt'));
const isUpdating = process.env['UPDATE_TRANSCRIPTS'] === '1';

function stepsOf(text: string): readonly Step[] {
  const steps: { remarks: string[]; typed: string[]; expected: string[] }[] = [];
  let remarks: string[] = [];
  for (const line of text.split('\n')) {
    const step = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ remarks, typed: [line.slice(2)], expected: [] });
    else if (line.startsWith('> ') && step?.expected.length === 0) step.typed.push(line.slice(2));
    else if (line.startsWith('# ')) remarks.push(line);
    else if (line !== '') step?.expected.push(line);
    if (line.startsWith('$ ')) remarks = [];
  }
  return steps.map(({ remarks, typed, expected }) => {
    return { remarks, line: typed.join('\n'), expected: expected.join('\n') };
  });
}

/** Times, ids and keys as words. */
function steady(text: string, server: TestServer, home: string): string {
  return text
    .replaceAll(server.url, 'URL')
    .replaceAll(home, 'HOME')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\d/g, 'DAY')
    .replace(/fmk_[A-Za-z0-9_]+/g, 'KEY')
    .replace(/fmr_[\w.-]+/g, 'TOKEN')
    .replace(/\b(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{16}\b/g, 'ID')
    .replace(/run_[0-9a-f-]{36}/g, 'RUN')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
    .replace(/ {2,}/g, '  ');
}

function play(line: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const shell = spawn('sh', ['-c', line], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      shell[stream].on('data', (chunk: Buffer) => {
        parts[stream] += chunk.toString();
      });
    }
    shell.once('error', reject);
    shell.once('close', (code) => {
      const said = parts.stderr === '' ? '' : `! ${parts.stderr.trimEnd().replaceAll('\n', '\n! ')}\n`;
      const printed = parts.stdout === '' || parts.stdout.endsWith('\n') ? parts.stdout : `${parts.stdout}\n`;
      resolve(`${printed}${said}= ${code}`);
    });
  });
}

describe.each(names)('%s', (name) => {
  let server: TestServer;
  let home: string;
  let env: NodeJS.ProcessEnv;
  const text = readFileSync(join(folder, name), 'utf8');
  const steps = stepsOf(text);
  const played: string[] = [];

  beforeAll(async () => {
    server = await startServer();
    home = mkdtempSync(join(tmpdir(), 'fm-cli-'));
    const bin = join(home, 'bin');
    mkdirSync(bin);
    symlinkSync(join(folder, '../../../cli/fm.cjs'), join(bin, 'fm'));
    const role = async (role: string) => {
      const made = await server.call('POST', '/api/v1/api-keys', { name: role, role });
      return made.body.api_key as string;
    };
    env = environmentOf({
      PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: home,
      XDG_CONFIG_HOME: home,
      // No test writes into the keychain of whoever runs it.
      FM_KEYCHAIN: 'off',
      FM_API_URL: server.url,
      FM_API_KEY: server.adminKey,
      ADMIN: server.adminKey,
      EDITOR: await role('editor'),
      VIEWER: await role('viewer'),
      RUNTIME: await role('runtime'),
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
    if (isUpdating) writeFileSync(join(folder, name), `${played.join('\n\n')}\n`);
  });

  test.each(steps.map((step, index) => [`${index + 1}: ${step.line}`, step] as const))(
    '%s',
    async (_what, step) => {
      await auditSettled(server);
      const found = steady(await play(step.line, home, env), server, home).replace(/\n{2,}/g, '\n');
      const typed = step.line.replaceAll('\n', '\n> ');
      played.push([...step.remarks, `$ ${typed}`, found].join('\n'));
      if (!isUpdating) expect(found).toBe(step.expected);
    },
  );
});
