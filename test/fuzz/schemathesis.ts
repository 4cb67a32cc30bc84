import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../testkit/server.ts';

const version = '4.32.5';

/** The running server against its own OpenAPI document, with every check on. @returns whether all of them held */
export async function runSchemathesis(tools: string, seconds: number): Promise<boolean> {
  const environment = join(tools, 'schemathesis');
  const program = join(environment, 'bin/schemathesis');
  if (!existsSync(program)) {
    execFileSync('python3', ['-m', 'venv', environment]);
    execFileSync(join(environment, 'bin/pip'), ['install', '--quiet', `schemathesis==${version}`]);
  }
  await using server = await startServer();
  const folder = mkdtempSync(join(tmpdir(), 'fm-fuzz-'));
  const config = join(folder, 'schemathesis.toml');
  // By the environment: arguments are seen by everybody on the machine.
  const settings = [
    `headers = { Authorization = "Bearer $\{FM_FUZZ_KEY}" }`,
    // What no schema can say (a cursor of a page before, a sequence that is there) is refused as validation.
    '[checks.positive_data_acceptance]',
    'expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]',
  ];
  writeFileSync(config, `${settings.join('\n')}\n`);
  const time = ['--max-time', String(Math.ceil(seconds)), '--no-color'];
  const args = ['--config-file', config, 'run', `${server.url}/openapi.json`, '--checks', 'all', ...time];
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, FM_FUZZ_KEY: server.adminKey },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  rmSync(folder, { recursive: true });
  return status === 0;
}
