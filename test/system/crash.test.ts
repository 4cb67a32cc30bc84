import { describe, expect, test } from 'vitest';
import { Ledger } from '../testkit/ledger.ts';
import { Client, foundIn, type Target } from '../testkit/load.ts';
import { Random, testSeed } from '../testkit/random.ts';
import { auditSettled, eventually, startServer, type TestServer } from '../testkit/server.ts';

/** How often the server is killed; FM_TEST_KILLS for a longer campaign. */
const KILLS = Number(process.env['FM_TEST_KILLS'] ?? 200);
const CLIENTS = 8;
const AT_ONCE = 16;

/** The audit actions of the load's writes. */
const WRITES = [
  'create',
  'rotate',
  'update',
  'delete',
  'start_run',
  'end_run',
  'create_api_key',
  'revoke_api_key',
];

async function each<T>(items: readonly T[], check: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE)
    await Promise.all(items.slice(at, at + AT_ONCE).map(check));
}

/** After a restart: every acknowledged write is there. */
async function checkSecrets(
  { server, runtimeKey }: Target,
  ledger: Ledger,
  names: readonly string[],
): Promise<void> {
  await each(names, async (name) => {
    const request = { config: `{{secrets.${name}}}`, environment: 'production' };
    const found = foundIn(await server.call('POST', '/api/v1/resolve', request, runtimeKey));
    expect(ledger.judge(name, found), name).toBeNull();
    if (found === null) return;
    const { body } = await server.call('GET', `/api/v1/secrets/${name}`);
    expect(ledger.judgeDescription(name, body.description), name).toBeNull();
  });
}

/** After a restart: what was issued is taken, and what was ended is not. */
async function checkCredentials(server: TestServer, ledger: Ledger, credentials: readonly string[]) {
  await each(credentials, async (credential) => {
    const { status } = credential.startsWith('fmr_')
      ? await server.call('POST', '/api/v1/resolve', { config: 'none' }, credential)
      : await server.call('GET', '/api/v1/secrets?limit=1', undefined, credential);
    expect([200, 401]).toContain(status);
    expect(ledger.judgeCredential(credential, status === 200)).toBeNull();
  });
}

/** Each success of an action in the audit log. */
async function records(server: TestServer, action: string) {
  const found: { request_id: string; secret_name: string; version: number }[] = [];
  for (let path = `/api/v1/secrets/audit?action=${action}&outcome=success&limit=1000`; path !== ''; ) {
    const page = await server.call('GET', path);
    expect(page.status).toBe(200);
    found.push(...page.body);
    path = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  }
  return found;
}

/** The requests whose writes are recorded. */
async function recordedWrites(server: TestServer): Promise<string[]> {
  await auditSettled(server);
  const found: string[] = [];
  for (const action of WRITES)
    found.push(...(await records(server, action)).map(({ request_id }) => request_id));
  return found;
}

/** At the end: every value that left has its record, every write has exactly one, and the log is whole. */
async function checkRecords(server: TestServer, ledger: Ledger, before: number): Promise<number> {
  const writes = await recordedWrites(server);
  const accesses = new Set(
    (await records(server, 'access')).map((record) =>
      [record.request_id, record.secret_name, record.version].join(),
    ),
  );
  const unrecorded = ledger.received.filter(
    ({ request_id, name, version }) => !accesses.has([request_id, name, version].join()),
  );
  expect(unrecorded).toEqual([]);

  const once = new Set(writes);
  expect(once.size).toBe(writes.length);
  expect([...ledger.acknowledged].filter((id) => !once.has(id))).toEqual([]);
  // The others were carried out and their answers were lost: never more than were left unanswered.
  expect(writes.length - before - ledger.acknowledged.size).toBeLessThanOrEqual(ledger.unanswered);

  const { body } = await server.call('GET', '/api/v1/secrets/audit/verify');
  expect(body).toMatchObject({ verified: true });
  return body.events;
}

describe('kill -9 under a mixed load', () => {
  test(`${KILLS} times: nothing acknowledged is lost, and no value left without its record`, {
    timeout: 3_600_000,
  }, async () => {
    const seed = testSeed();
    process.stdout.write(`FM_TEST_SEED=${seed}\n`);
    const random = new Random(seed);
    const ledger = new Ledger();
    const clients = Array.from({ length: CLIENTS }, (_, index) => new Client(`c${index}`, ledger));
    // The folder outlives its servers; disposing of the first one removes it at the end, whatever happens.
    await using first = await startServer();
    const key = await first.call('POST', '/api/v1/api-keys', { name: 'runtime', role: 'runtime' });
    const runtimeKey = key.body.api_key;
    const before = (await recordedWrites(first)).length;
    let server = first;
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const working = clients.map((client) =>
          client.work({ server, runtimeKey }, new Random(random.below(2 ** 32))),
        );
        const answered = { writes: ledger.acknowledged.size, values: ledger.received.length };
        await new Promise((resolve) => setTimeout(resolve, 20 + random.below(130)));
        // On a busy machine nothing may have been answered by then. One kill in four comes all the same, also before
        // the first answer; the others wait for a few, so that together they have something to show.
        if (random.below(4) > 0) {
          await eventually(
            async () =>
              ledger.acknowledged.size > answered.writes + 1 && ledger.received.length > answered.values + 1,
          );
        }
        await server.stop('SIGKILL');
        await Promise.all(working);
        server = await startServer(first.dataDir);
        const names = clients.flatMap((client) => client.names);
        await checkSecrets({ server, runtimeKey }, ledger, names);
        await checkCredentials(
          server,
          ledger,
          clients.flatMap((client) => client.takeCredentials()),
        );
      }
      // Those that were given up on the way, too.
      await checkSecrets({ server, runtimeKey }, ledger, ledger.names());
      await checkCredentials(server, ledger, ledger.credentials());
      const events = await checkRecords(server, ledger, before);
      process.stdout.write(
        `${KILLS} kills, ${ledger.acknowledged.size} acknowledged writes, ${ledger.unanswered} unanswered, ` +
          `${ledger.received.length} values received, ${events} records\n`,
      );
    } finally {
      await server.stop('SIGKILL');
    }
    expect(ledger.acknowledged.size).toBeGreaterThan(KILLS);
    expect(ledger.received.length).toBeGreaterThan(KILLS);
  });
});

describe('the ledger finds what it is there to find', () => {
  test('in values', () => {
    const ledger = new Ledger();
    ledger.stored('a', 1, 'one');
    ledger.stored('a', 2, 'two');
    ledger.sent('a', 'three');
    expect(ledger.judge('a', { version: 1, value: 'one' })).toMatch(/2 was acknowledged/);
    expect(ledger.judge('a', { version: 2, value: 'else' })).toMatch(/another value/);
    expect(ledger.judge('a', { version: 3, value: 'else' })).toMatch(/never sent/);
    expect(ledger.judge('a', null)).toMatch(/there is nothing/);
    expect(ledger.judge('a', { version: 3, value: 'three' })).toBeNull();
    expect(ledger.judge('a', { version: 2, value: 'two' })).toMatch(/3 was acknowledged/);
    ledger.deleted('a');
    expect(ledger.judge('a', { version: 3, value: 'three' })).toMatch(/was deleted/);
    expect(ledger.judge('a', null)).toBeNull();
  });

  test('in writes that were not answered, once it was seen whether they happened', () => {
    const ledger = new Ledger();
    ledger.stored('a', 1, 'one');
    ledger.sent('a', 'two');
    expect(ledger.judge('a', { version: 1, value: 'one' })).toBeNull();
    expect(ledger.judge('a', { version: 2, value: 'two' })).toMatch(/never sent/);
    ledger.deleting('a');
    expect(ledger.judge('a', null)).toBeNull();
    expect(ledger.judge('a', { version: 1, value: 'one' })).toMatch(/was deleted/);
  });

  test('in descriptions and credentials', () => {
    const ledger = new Ledger();
    ledger.described('a', 'old');
    ledger.describing('a', 'new');
    expect(ledger.judgeDescription('a', 'else')).toMatch(/described as old/);
    expect(ledger.judgeDescription('a', 'new')).toBeNull();
    expect(ledger.judgeDescription('a', 'old')).toMatch(/described as new/);
    ledger.issued('key');
    expect(ledger.judgeCredential('key', false)).toMatch(/not taken/);
    ledger.ending('key');
    expect(ledger.judgeCredential('key', false)).toBeNull();
    expect(ledger.judgeCredential('key', true)).toMatch(/was ended/);
  });
});
