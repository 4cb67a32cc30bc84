import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';
import { Latencies, Traffic } from './traffic.ts';

/**
 * `npm run prove -- --load [--minutes N]`: mixed traffic at 80 % of what the embedded host can do here, an hour of it
 * unless told otherwise. Memory and p99 by the minute, then a flood of bad keys and hostile configs beside good
 * callers, then whether each resolve has its record. Written to `.prove/load.md`.
 */
const { values } = parseArgs({
  options: { load: { type: 'boolean' }, minutes: { type: 'string', default: '60' } },
});
const minutes = Number(values.minutes);
const CEILING_SECONDS = 10;
const AT_ONCE = 16;
/** Of good callers beside a flood: as on an ordinary day, not at the ceiling. */
const ORDINARY = 0.4;
const FLOOD_SECONDS = Math.max(20, Math.min(60, minutes * 15));
/** Of hostile requests, beside the good ones: together they are what the host can do, about. */
const FLOOD = 0.4;
const MEMORY_GROWTH = 1.5;

const lines: string[] = [];
const say = (line: string) => {
  lines.push(line);
  process.stdout.write(`${line}\n`);
};

/** Megabytes that a process has in memory. */
function residentOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** Requests a second that so many callers get, who ask again as soon as they are answered. */
async function ceiling(traffic: Traffic): Promise<number> {
  let answered = 0;
  const end = performance.now() + CEILING_SECONDS * 1000;
  const work = async () => {
    for (; performance.now() < end; answered += 1) await traffic.honest();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answered / CEILING_SECONDS;
}

/** Asks at a rate, whether answers come or not, so that waiting shows. */
async function atRate(perSecond: number, seconds: number, ask: () => Promise<boolean>): Promise<Latencies> {
  const latencies = new Latencies();
  const begun = performance.now();
  const asked: Promise<void>[] = [];
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const due = begun + (number * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    const one = ask().then((served) => {
      if (served) latencies.add(performance.now() - due);
      else latencies.failed += 1;
    });
    asked.push(one);
  }
  await Promise.all(asked);
  return latencies;
}

function row(what: string, latencies: Latencies, server: TestServer): void {
  const [p50, p99] = [latencies.at(0.5), latencies.at(0.99)].map((ms) => ms.toFixed(1));
  const memory = residentOf(server.pid);
  say(
    `| ${what} | ${latencies.count} | ${latencies.failed} | ${p50} | ${p99} | ${memory} | ${loadavg()[0]?.toFixed(1)} |`,
  );
}

/** How many accesses the log has, read when the server is gone. */
function recordsOf(dataDir: string): number {
  const db = new DatabaseSync(join(dataDir, 'store.db'), { readOnly: true });
  const sql = `SELECT count(*) AS n FROM audit_records WHERE CAST(bytes AS TEXT) ->> '$.event.action' = 'access'`;
  const { n } = db.prepare(sql).get() as { n: number };
  db.close();
  return n;
}

const dataDir = newDataDir();
const server = await startServer(dataDir);
const problems: string[] = [];
try {
  const traffic = new Traffic(server);
  await traffic.prepare();
  await ceiling(traffic); // compiled by the time it counts
  const most = await ceiling(traffic);
  say(`# Load, ${new Date().toISOString()}\n`);
  say(
    `Ceiling: ${most.toFixed(0)} requests a second by ${AT_ONCE} callers; asked from here on: ${(most * 0.8).toFixed(0)}.\n`,
  );
  say('| minute | served | not served | p50 ms | p99 ms | memory MB | load |\n|---|---|---|---|---|---|---|');
  const memory: number[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    row(String(minute), await atRate(most * 0.8, 60, () => traffic.honest()), server);
    memory.push(residentOf(server.pid));
  }
  const [early = 0, late = 0] = [memory[Math.min(2, memory.length - 1)], memory.at(-1)];
  if (late > early * MEMORY_GROWTH) problems.push(`memory grew from ${early} to ${late} MB`);
  const alone = await atRate(most * ORDINARY, FLOOD_SECONDS, () => traffic.honest());
  row('ordinary', alone, server);
  const flood = atRate(most * FLOOD, FLOOD_SECONDS, async () => {
    await traffic.hostile();
    return true;
  });
  const beside = await atRate(most * ORDINARY, FLOOD_SECONDS, () => traffic.honest());
  row(`beside ${(most * FLOOD).toFixed(0)} hostile a second`, beside, server);
  await flood;
  const times = beside.at(0.99) / alone.at(0.99);
  say(`\nGood callers’ p99 beside the flood: ${times.toFixed(2)} times as long.`);
  if (times > 2) problems.push(`good callers’ p99 was ${times.toFixed(2)} times as long beside the flood`);
  await auditSettled(server);
  await server.stop('SIGTERM');
  const records = recordsOf(dataDir);
  say(
    `${traffic.resolved} resolves were answered, ${traffic.unanswered} were not; the log has ${records} accesses.`,
  );
  if (records < traffic.resolved || records > traffic.resolved + traffic.unanswered)
    problems.push(`${traffic.resolved} resolves, ${records} records`);
} finally {
  await server.stop('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
}
say(problems.length === 0 ? '\nHeld.' : `\n**Broken**: ${problems.join('; ')}`);
const folder = join(import.meta.dirname, '../../.prove');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'load.md'), `${lines.join('\n')}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
