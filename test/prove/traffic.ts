import { randomBytes } from 'node:crypto';
import type { TestServer } from '../testkit/server.ts';

const SECRETS = 200;
const REFERENCES = 10;

/** What requests of a time came to. Times in milliseconds, from when a request was due. */
export class Latencies {
  readonly #times: number[] = [];
  failed = 0;

  add(ms: number): void {
    this.#times.push(ms);
  }

  get count(): number {
    return this.#times.length;
  }

  at(share: number): number {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }
}

/** Callers of a server: honest ones, of whom most resolve, and others. */
export class Traffic {
  readonly #server: TestServer;
  #runtime = '';
  #asked = 0;
  /** Resolves that were answered with values: each has a record, or one was lost. */
  resolved = 0;
  /** Resolves whose answer never came: each may have a record. */
  unanswered = 0;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async prepare(): Promise<void> {
    const made = await this.#server.call('POST', '/api/v1/api-keys', { name: 'load', role: 'runtime' });
    this.#runtime = made.body.api_key;
    for (let at = 0; at < SECRETS; at += 1)
      await this.#server.call('POST', '/api/v1/secrets', {
        name: `s${at}`,
        value: randomBytes(32).toString('hex'),
      });
  }

  /** One honest request: of twenty, sixteen resolve, two describe, one rotates, one asks the log. @returns whether it was served */
  async honest(): Promise<boolean> {
    this.#asked += 1;
    const turn = this.#asked % 20;
    const name = `s${this.#asked % SECRETS}`;
    if (turn < 16) return this.#resolve();
    if (turn < 18) return this.#ok('GET', `/api/v1/secrets/${name}`);
    if (turn === 18)
      return this.#ok('POST', `/api/v1/secrets/${name}/rotate`, {
        new_value: randomBytes(32).toString('hex'),
      });
    return this.#ok('GET', `/api/v1/secrets/audit?secret_name=${name}&limit=20`);
  }

  async #resolve(): Promise<boolean> {
    const config = Array.from(
      { length: REFERENCES },
      (_, at) => `{{secrets.s${(this.#asked + at * 7) % SECRETS}}}`,
    );
    try {
      const asked = { config, environment: 'production' };
      const { status } = await this.#server.call('POST', '/api/v1/resolve', asked, this.#runtime);
      if (status === 200) this.resolved += 1;
      return status === 200;
    } catch {
      this.unanswered += 1;
      return false;
    }
  }

  async #ok(method: string, path: string, body?: object): Promise<boolean> {
    try {
      return (await this.#server.call(method, path, body)).status < 300;
    } catch {
      return false;
    }
  }

  /** One request with a key that is none, or with a config that means harm. */
  async hostile(): Promise<void> {
    this.#asked += 1;
    const kinds = [
      () =>
        this.#server.call(
          'GET',
          '/api/v1/secrets',
          undefined,
          `fmk_${randomBytes(24).toString('base64url')}`,
        ),
      () => this.#server.call('GET', '/api/v1/secrets', undefined, randomBytes(16).toString('hex')),
      () => this.#config(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
      () => this.#config(JSON.stringify('{{'.repeat(100_000))),
      () => this.#config(JSON.stringify(Array.from({ length: 5000 }, (_, at) => `{{secrets.x${at}}}`))),
    ];
    // Bad keys are many, hostile configs one in ten.
    const kind = this.#asked % 10 === 0 ? kinds[2 + ((this.#asked / 10) % 3)] : kinds[this.#asked % 2];
    await kind?.().catch(() => undefined);
  }

  #config(text: string) {
    return this.#server.call(
      'POST',
      '/api/v1/resolve',
      `{"config":${text},"environment":"production"}`,
      this.#runtime,
    );
  }
}
