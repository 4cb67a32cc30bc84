import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import * as z from 'zod';
import type { RotatorConfig } from '../contract/rotators.ts';
import { type Rotator, StepFailed } from './rotator.ts';

const login = z.looseObject({ username: z.string(), password: z.string() });
const server = login.extend({
  host: z.string(),
  port: z.coerce.number().int().default(5432),
  dbname: z.string().default('postgres'),
  ssl: z.boolean().default(false),
});
type Server = z.infer<typeof server>;

const CONNECT_MS = 10_000;

/**
 * Two roles that take turns, since PostgreSQL keeps one password for each: the one that is not in use gets the
 * new password, so that the other's goes on working until the overlap is over.
 * @param adminSecret the value that says where the database is, and who may alter the roles
 */
export function postgresRotator(
  { users }: Extract<RotatorConfig, { kind: 'postgres' }>,
  adminSecret: () => Promise<string>,
): Rotator {
  const admin = async () => parse(server, await adminSecret(), 'the admin secret');
  const own = (username: string) => {
    // The value is an editor's to write, and must not name a role that nobody meant to be altered.
    if (!users.includes(username)) throw new StepFailed('the value names a role that is none of its users');
    return username;
  };
  return {
    create: async (turn, current) => {
      const before = parse(login, current, 'the value');
      const username = own(before.username) === users[0] ? users[1] : users[0];
      if (turn.dry_run) await demandRoles(await admin(), users);
      return JSON.stringify({ ...before, username, password: randomBytes(24).toString('base64url') });
    },
    test: async (turn, pending) => {
      const { username, password } = parse(login, pending, 'the pending value');
      const at = await admin();
      own(username);
      if (turn.dry_run) return;
      await setPassword(at, username, scramVerifier(password));
      await connected({ ...at, username, password }, (client) => client.query('SELECT 1'));
    },
    finish: async (_turn, previous) => {
      const { username } = parse(login, previous, 'the previous value');
      await setPassword(await admin(), own(username), null);
    },
  };
}

async function demandRoles(at: Server, users: readonly string[]): Promise<void> {
  const { rowCount } = await connected(at, (client) =>
    client.query('SELECT 1 FROM pg_roles WHERE rolname = ANY($1)', [users]),
  );
  if (rowCount !== users.length) throw new StepFailed('the database does not have both roles');
}

/** Sends a verifier and never the password: the server's own log may hold the statement. */
async function setPassword(at: Server, username: string, verifier: string | null): Promise<void> {
  await connected(at, (client) => {
    const role = client.escapeIdentifier(username);
    const password = verifier === null ? 'NULL' : client.escapeLiteral(verifier);
    return client.query(`ALTER ROLE ${role} PASSWORD ${password}`);
  });
}

async function connected<T>(at: Server, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, dbname: database, username: user, password, ssl } = at;
  const client = new pg.Client({
    ...{ host, port, database, user, password, ssl },
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: CONNECT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await run(client);
  } catch (error) {
    // Only the code: a message may quote the statement.
    const code = z.object({ code: z.string().regex(/^[A-Z0-9_]{1,20}$/) }).safeParse(error);
    throw new StepFailed(`the database refused (${code.success ? code.data.code : 'no code'})`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const ITERATIONS = 4096;

/** What PostgreSQL keeps of a password: RFC 5803. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const keys = `${stored}:${hmac('Server Key').toString('base64')}`;
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${keys}`;
}

function parse<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new StepFailed(`${what} is not the JSON that a database rotator needs`);
  }
}
