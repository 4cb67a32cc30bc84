import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Ask } from './load.ts';
import { begin, end, eventually, freePort } from './process.ts';
import { type Contender, nameOf, newValue, SECRETS, scattered, VALUE, WRITES } from './store.ts';

/** `bao` or `vault`, whichever is on PATH; null when neither is. */
export function vaultOnPath(): { program: 'bao' | 'vault'; version: string } | null {
  for (const program of ['bao', 'vault'] as const) {
    const { status, stdout } = spawnSync(program, ['version'], { encoding: 'utf8' });
    if (status === 0) return { program, version: stdout.trim() };
  }
  return null;
}

const initialized = z.object({ keys: z.array(z.string()).min(1), root_token: z.string() });
const made = z.object({ auth: z.object({ client_token: z.string() }) });
const AT_ONCE = 32;

/** OpenBao's or Vault's KV version 2, with a file audit device. */
export class OpenBao implements Contender {
  readonly name: string;
  readonly headers: Record<string, string> = { 'content-type': 'application/json' };
  readonly reads = scattered(2000).map((index) => ({ method: 'GET', path: pathOf(nameOf(index)) }));
  // It reads one secret a request.
  readonly configs = null;
  readonly program: 'bao' | 'vault';
  readonly #folder: string;
  readonly #config: string;
  #child: ChildProcess | undefined;
  #port = 0;
  #key = '';

  private constructor(program: 'bao' | 'vault', storage: 'raft' | 'file', folder: string) {
    this.program = program;
    this.name = `${program === 'bao' ? 'OpenBao' : 'Vault'}, ${storage} storage`;
    this.#folder = join(folder, `${program}-${storage}`);
    mkdirSync(join(this.#folder, 'store'), { recursive: true });
    this.#config = join(this.#folder, 'config.hcl');
  }

  /** A new server with the 10,000 secrets. */
  static async start(program: 'bao' | 'vault', storage: 'raft' | 'file', folder: string): Promise<OpenBao> {
    const server = new OpenBao(program, storage, folder);
    server.#port = await freePort();
    server.#configure(storage, await freePort());
    server.#begin();
    await server.#setUp();
    await server.#fill();
    return server;
  }

  get writeHeaders() {
    return this.headers;
  }

  writes(salt: string): Ask[] {
    return Array.from({ length: WRITES }, (_, at) => writeOf(`w${at}`, newValue(salt, at)));
  }

  rotations(salt: string): Ask[] {
    return scattered(WRITES).map((index, at) => writeOf(nameOf(index), newValue(salt, at)));
  }

  url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** One request lists the names; the metadata of each is another one, 100 of them together. */
  async list(): Promise<number> {
    const listed = z.object({ data: z.object({ keys: z.array(z.string()) }) });
    const { keys } = listed.parse(await this.#call('LIST', '/v1/kv/metadata/')).data;
    for (let from = 0; from < keys.length; from += 100) {
      const page = keys.slice(from, from + 100);
      await Promise.all(page.map((key) => this.#call('GET', `/v1/kv/metadata/${key}`)));
    }
    return keys.length;
  }

  async restart(): Promise<number> {
    await this.stop();
    const started = performance.now();
    this.#begin();
    await eventually(() => this.#call('PUT', '/v1/sys/unseal', { key: this.#key }));
    await eventually(() => this.#call('GET', pathOf(nameOf(0))));
    return performance.now() - started;
  }

  async settle(): Promise<void> {}

  async stop(): Promise<void> {
    if (this.#child !== undefined) await end(this.#child);
  }

  #configure(storage: 'raft' | 'file', clusterPort: number): void {
    const node = storage === 'raft' ? 'node_id = "bench"' : '';
    const audit = `audit "file" "file" {\n  options { file_path = "${this.#auditLog()}" }\n}\n`;
    const lines = [
      `storage "${storage}" {\n  path = "${join(this.#folder, 'store')}"\n  ${node}\n}`,
      'listener "tcp" {',
      `  address = "127.0.0.1:${this.#port}"`,
      `  cluster_address = "127.0.0.1:${clusterPort}"`,
      '  tls_disable = true\n}',
      `api_addr = "http://127.0.0.1:${this.#port}"`,
      `cluster_addr = "https://127.0.0.1:${clusterPort}"`,
      'disable_mlock = true',
      // OpenBao takes audit devices from its configuration alone, Vault from its API alone.
      this.program === 'bao' ? audit : '',
    ];
    writeFileSync(this.#config, lines.join('\n'));
  }

  #auditLog(): string {
    return join(this.#folder, 'audit.log');
  }

  #begin(): void {
    const log = join(this.#folder, 'server.log');
    this.#child = begin(this.program, ['server', `-config=${this.#config}`], log);
  }

  async #setUp(): Promise<void> {
    const shares = { secret_shares: 1, secret_threshold: 1 };
    const answer = await eventually(() => this.#call('PUT', '/v1/sys/init', shares));
    const { keys, root_token } = initialized.parse(answer);
    this.#key = keys[0] ?? '';
    this.headers['x-vault-token'] = root_token;
    await this.#call('PUT', '/v1/sys/unseal', { key: this.#key });
    await eventually(() =>
      this.#call('POST', '/v1/sys/mounts/kv', { type: 'kv', options: { version: '2' } }),
    );
    if (this.program === 'vault') {
      const device = { type: 'file', options: { file_path: this.#auditLog() } };
      await this.#call('PUT', '/v1/sys/audit/file', device);
    }
    const policy = 'path "kv/*" { capabilities = ["create", "read", "update", "list"] }';
    await this.#call('PUT', '/v1/sys/policies/acl/bench', { policy });
    const token = { type: 'batch', policies: ['bench'], ttl: '12h' };
    const { auth } = made.parse(await this.#call('POST', '/v1/auth/token/create', token));
    this.headers['x-vault-token'] = auth.client_token;
  }

  async #fill(): Promise<void> {
    await eventually(() => this.#put(nameOf(0)), 50);
    for (let from = 0; from < SECRETS; from += AT_ONCE) {
      const length = Math.min(AT_ONCE, SECRETS - from);
      await Promise.all(Array.from({ length }, (_, at) => this.#put(nameOf(from + at))));
    }
  }

  #put(name: string): Promise<unknown> {
    return this.#call('POST', pathOf(name), { data: { value: VALUE } });
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(this.url() + path, { method, headers: this.headers, ...sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}`);
    return text === '' ? null : JSON.parse(text);
  }
}

function pathOf(name: string): string {
  return `/v1/kv/data/${name}`;
}

function writeOf(name: string, value: string): Ask {
  return { method: 'POST', path: pathOf(name), body: JSON.stringify({ data: { value } }) };
}
