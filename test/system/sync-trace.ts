import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newDataDir, startServer, type TestServer } from '../testkit/server.ts';

/**
 * `npm run prove:sync`, where strace is. A kill cannot show what a power cut would lose:
 * the system keeps what a killed process wrote. So this follows the server's system calls, and asks of every
 * answer that acknowledges a write or carries a value: was its own record written to the log of the store, and
 * was that file synced, before the answer left?
 */
const ROUNDS = 100;
const AT_ONCE = 8;
const CALLS = 'trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg';

/** Requests whose answers must be durable before they are given. @returns their ids */
async function load(server: TestServer): Promise<string[]> {
  const made = await server.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
  await server.call('POST', '/api/v1/secrets', { name: 'shared', value: 'v' });
  const config = { config: '{{secrets.shared}}', environment: 'production' };
  const ids: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = Array.from({ length: AT_ONCE }, (_, client) =>
      client % 2 === 0
        ? server.call('PUT', `/api/v1/secrets/s${client}`, { value: `${round}` })
        : server.call('POST', '/api/v1/resolve', config, made.body.api_key),
    );
    for (const { status, headers } of await Promise.all(asked)) {
      if (status > 201) throw new Error(`an answer was ${status}`);
      ids.push(headers.get('x-request-id') ?? '');
    }
  }
  return ids;
}

type Step = 'not written' | 'not synced' | 'durable';

/** Follows a trace line by line. @returns of each request, how far its record was when its answer left */
function follow(trace: string, ids: readonly string[]): Map<string, Step> {
  const steps = new Map<string, Step>(ids.map((id) => [id, 'not written']));
  const atAnswer = new Map<string, Step>();
  /** Threads in the middle of a sync of the log: it counts when it is done. */
  const syncing = new Set<string>();
  const synced = () => {
    for (const [id, step] of steps) if (step === 'not synced') steps.set(id, 'durable');
  };
  for (const line of trace.split('\n')) {
    const [thread = ''] = line.split(' ', 1);
    const isOfLog = line.includes('store.db-wal>');
    if (/ (fdatasync|fsync)\(/.test(line) && isOfLog) {
      if (line.includes('<unfinished')) syncing.add(thread);
      else if (line.endsWith('= 0')) synced();
    } else if (/<\.\.\. (fdatasync|fsync) resumed>.*= 0$/.test(line) && syncing.delete(thread)) {
      synced();
    } else {
      for (const [id] of line.matchAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)) {
        const step = steps.get(id);
        if (step === undefined) continue;
        if (isOfLog && step === 'not written') steps.set(id, 'not synced');
        if (line.includes('HTTP/1.1 2') && !atAnswer.has(id)) atAnswer.set(id, step);
      }
    }
  }
  return atAnswer;
}

const folder = mkdtempSync(join(tmpdir(), 'fm-trace-'));
const output = join(folder, 'trace');
// -D: the server stays our own child, and the tracer is beside it.
const tracer = ['strace', '-D', '-f', '-qq', '-y', '-s', '8192', '-e', CALLS, '-o', output];
const server = await startServer(newDataDir(), {}, tracer);
const ids = await load(server);
await server.stop('SIGTERM');
const atAnswer = follow(readFileSync(output, 'latin1'), ids);
await server[Symbol.asyncDispose]();
rmSync(folder, { recursive: true });

const durable = ids.filter((id) => atAnswer.get(id) === 'durable').length;
const seen = ids.filter((id) => atAnswer.has(id)).length;
process.stdout.write(
  `${ids.length} answers, ${seen} seen in the trace, ${durable} after a sync of their record\n`,
);
process.exitCode = durable === ids.length ? 0 : 1;
