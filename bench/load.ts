import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { debianProgram } from '../test/testkit/debian.ts';

/** One request of a load. */
export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

/** What came of a load. Times in milliseconds. */
export interface Outcome {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const report = z.object({ n: z.number(), us: z.number(), p50: z.number(), p99: z.number(), bad: z.number() });

/**
 * Asks over and over, on so many connections, each waiting for its answer: wrk, in a process of its own, written
 * in C so that it takes as little as can be of the machine that it shares with what it measures.
 * @throws Error when an answer is not 2xx
 */
export async function load(
  folder: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  asks: readonly Ask[],
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Outcome> {
  const script = join(folder, `load-${process.pid}.lua`);
  const list = join(folder, `load-${process.pid}.txt`);
  writeFileSync(list, asks.map(({ method, path, body = '' }) => `${method}\t${path}\t${body}`).join('\n'));
  writeFileSync(script, lua(list, headers), { mode: 0o600 });
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script, url];
  const said = await run(debianProgram('wrk', ['wrk']), args);
  const { n, us, p50, p99, bad } = report.parse(JSON.parse(/JSON(\{.*\})/.exec(said)?.[1] ?? 'null'));
  if (bad > 0 || n === 0) throw new Error(`${bad} of ${n} answers of ${url} were refusals or never came`);
  return { perSecond: n / (us / 1e6), p50: p50 / 1000, p99: p99 / 1000 };
}

function lua(list: string, headers: Readonly<Record<string, string>>): string {
  const set = Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  return `${set.join('\n')}
local asks, at = {}, 0
function init()
  for line in io.lines("${list}") do
    local method, path, body = line:match("^(.-)\\t(.-)\\t(.*)$")
    asks[#asks + 1] = wrk.format(method, path, nil, body ~= "" and body or nil)
  end
end
function request()
  at = at % #asks + 1
  return asks[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('JSON{"n":%d,"us":%d,"p50":%d,"p99":%d,"bad":%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}

/** What a program prints. @throws Error with what it said when it fails */
export async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let failed = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (failed += chunk.toString()));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${failed.slice(-500)}${said.slice(-500)}`);
  return said;
}
