import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { debianProgram } from '../testkit/debian.ts';

/** Where a login goes, as it stands in a secret's value. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A PostgreSQL of its own on loopback, with SCRAM and nothing else. Dispose of it. */
export interface Cluster extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly admin: Login;
  /** Everything that the server logged. It logs statements that alter roles. */
  log(): string;
  /** Logs in and asks for who it is. @throws Error of the server */
  login(as: Login): Promise<string>;
  query(text: string): Promise<void>;
}

const versions = '/usr/lib/postgresql';
const binaries = () =>
  existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : [];

/** PostgreSQL refuses to run as root: then its own user runs it. */
function asOwner(program: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [program, [...args]];
  return ['runuser', ['-u', 'postgres', '--', program, ...args]];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

/** Makes and starts one. */
export async function startCluster(): Promise<Cluster> {
  if (binaries().length === 0) debianProgram('postgres', ['postgresql'], binaries());
  const bin = binaries().at(-1) ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'fm-pg-'));
  const admin = { username: 'fm_admin', password: randomBytes(18).toString('hex') };
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, admin.password);
  if (process.getuid?.() === 0) {
    const id = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
    for (const path of [folder, passwordFile]) chownSync(path, id, id);
  }
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', admin.username, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '-N'];
  const made = spawnSync(...asOwner(join(bin, 'initdb'), init), { encoding: 'utf8', cwd: folder });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const port = await freePort();
  const settings = {
    ...{ listen_addresses: '127.0.0.1', port, unix_socket_directories: folder, fsync: 'off' },
    ...{ log_statement: 'ddl', max_connections: 60 },
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let logged = '';
  const child: ChildProcess = spawn(...asOwner(join(bin, 'postgres'), ['-D', data, ...flags]), {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    logged += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const connect = async ({ username: user, password }: Login, text: string) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.query<{ who: string }>(text);
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const cluster: Cluster = {
    host: '127.0.0.1',
    port,
    admin,
    log: () => logged,
    login: async (as) => (await connect(as, 'SELECT current_user AS who')).rows[0]?.who ?? '',
    query: async (text) => void (await connect(admin, text)),
    [Symbol.asyncDispose]: async () => {
      // The postmaster's own id: the process that we started may be the one that changed the user.
      const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
      process.kill(pid, 'SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`postgres ended: ${logged}`);
    const isUp = await cluster.login(admin).then(
      () => true,
      () => false,
    );
    if (isUp) return cluster;
    await sleep(100);
  }
  throw new Error(`postgres did not start: ${logged}`);
}
