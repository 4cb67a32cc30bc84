import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Reply, TestServer } from './server.ts';

const NAMES = 5;
const KEYS = 2;

/** Actions by how often they are chosen. */
const MIX = [
  ...repeated(6, 'put'),
  ...repeated(6, 'rotate'),
  ...repeated(4, 'update'),
  ...repeated(8, 'resolve'),
  ...repeated(8, 'resolveInRun'),
  ...repeated(2, 'endRun'),
  ...repeated(2, 'createApiKey'),
  ...repeated(1, 'revokeApiKey'),
  ...repeated(1, 'delete'),
] as const;

/** What a load goes to: the server of the moment, and a key that may resolve. */
export interface Target {
  readonly server: TestServer;
  readonly runtimeKey: string;
}

interface Run {
  readonly id: string;
  readonly token: string;
}

/**
 * A client with names, keys and a run of its own, so that the order of what it does to them is known to it. It
 * outlives the servers that it works on.
 */
export class Client {
  readonly #id: string;
  readonly #ledger: Ledger;
  #made = 0;
  #names: string[] = [];
  #keys: { id: string; api_key: string }[] = [];
  #run: Run | null = null;
  /** Credentials that were ended since they were last looked at. */
  #ended: string[] = [];

  constructor(id: string, ledger: Ledger) {
    this.#id = id;
    this.#ledger = ledger;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** The credentials to look at after a restart. */
  takeCredentials(): string[] {
    const taken = [...this.#ended, ...this.#keys.map(({ api_key }) => api_key)];
    if (this.#run !== null) taken.push(this.#run.token);
    this.#ended = [];
    return taken;
  }

  /** Works until the server is gone. @throws what is wrong with an answer */
  async work(target: Target, random: Random): Promise<void> {
    try {
      for (;;) {
        if (this.#names.length < NAMES) await this.#create(target);
        await this.#act(random.pick(MIX), target, random.pick(this.#names));
      }
    } catch (error) {
      // Only this says that the server is gone; anything else is a failure of the test.
      if (!(error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message))) throw error;
    }
  }

  #act(action: (typeof MIX)[number], target: Target, name: string): Promise<void> {
    switch (action) {
      case 'put':
        return this.#put(target, name);
      case 'rotate':
        return this.#rotate(target, name);
      case 'update':
        return this.#update(target, name);
      case 'resolve':
        return this.#resolve(target, name, target.runtimeKey);
      case 'resolveInRun':
        return this.#resolveInRun(target, name);
      case 'endRun':
        return this.#endRun(target);
      case 'createApiKey':
        return this.#createApiKey(target);
      case 'revokeApiKey':
        return this.#revokeApiKey(target);
      case 'delete':
        return this.#delete(target, name);
    }
  }

  async #create(target: Target): Promise<void> {
    const name = this.#newName();
    this.#names.push(name);
    const value = newValue();
    this.#ledger.sent(name, value);
    const answer = await this.#write(target, 'POST', '/api/v1/secrets', { name, value });
    expect(answer.status).toBe(201);
    this.#ledger.stored(name, answer.body.version, value);
  }

  async #put(target: Target, name: string): Promise<void> {
    const value = newValue();
    this.#ledger.sent(name, value);
    const answer = await this.#write(target, 'PUT', `/api/v1/secrets/${name}`, { value });
    expect([200, 201]).toContain(answer.status);
    this.#ledger.stored(name, answer.body.version, value);
  }

  async #rotate(target: Target, name: string): Promise<void> {
    const value = newValue();
    this.#ledger.sent(name, value);
    const answer = await this.#write(target, 'POST', `/api/v1/secrets/${name}/rotate`, { new_value: value });
    if (this.#isMissing(answer, name)) return;
    expect(answer.status).toBe(200);
    this.#ledger.stored(name, answer.body.version, value);
  }

  async #update(target: Target, name: string): Promise<void> {
    const description = newValue();
    this.#ledger.describing(name, description);
    const answer = await this.#write(target, 'PATCH', `/api/v1/secrets/${name}`, { description });
    if (this.#isMissing(answer, name)) return;
    expect(answer.status).toBe(200);
    this.#ledger.described(name, description);
  }

  /** A name that was deleted, or perhaps was, is not used again: what it should hold is known for good. */
  async #delete(target: Target, name: string): Promise<void> {
    this.#names = this.#names.filter((kept) => kept !== name);
    this.#ledger.deleting(name);
    const answer = await this.#write(target, 'DELETE', `/api/v1/secrets/${name}`);
    expect([204, 404]).toContain(answer.status);
    this.#ledger.deleted(name);
  }

  async #resolve({ server }: Target, name: string, key: string): Promise<void> {
    const config = `{{secrets.${name}}}`;
    const request = key.startsWith('fmr_') ? { config } : { config, environment: 'production' };
    const answer = await server.call('POST', '/api/v1/resolve', request, key);
    expect(this.#ledger.judge(name, foundIn(answer)), name).toBeNull();
    if (answer.status !== 200) return;
    const { version } = answer.body.secrets[0];
    this.#ledger.received.push({ request_id: requestIdOf(answer), name, version });
  }

  async #resolveInRun(target: Target, name: string): Promise<void> {
    if (this.#run === null) {
      const id = this.#newName();
      const run = { pipeline_id: this.#id, environment: 'production', run_id: id };
      const answer = await this.#write(target, 'POST', '/api/v1/runs', run, target.runtimeKey);
      expect(answer.status).toBe(201);
      this.#run = { id, token: answer.body.run_token };
      this.#ledger.issued(this.#run.token);
    }
    await this.#resolve(target, name, this.#run.token);
  }

  async #endRun(target: Target): Promise<void> {
    if (this.#run === null) return;
    const { id, token } = this.#run;
    this.#run = null;
    this.#ended.push(token);
    this.#ledger.ending(token);
    const answer = await this.#write(target, 'DELETE', `/api/v1/runs/${id}`, undefined, token);
    expect(answer.status).toBe(204);
    this.#ledger.ended(token);
  }

  async #createApiKey(target: Target): Promise<void> {
    if (this.#keys.length >= KEYS) return;
    const answer = await this.#write(target, 'POST', '/api/v1/api-keys', { name: this.#id, role: 'viewer' });
    expect(answer.status).toBe(201);
    this.#keys.push(answer.body);
    this.#ledger.issued(answer.body.api_key);
  }

  async #revokeApiKey(target: Target): Promise<void> {
    const key = this.#keys.shift();
    if (key === undefined) return;
    this.#ended.push(key.api_key);
    this.#ledger.ending(key.api_key);
    const answer = await this.#write(target, 'DELETE', `/api/v1/api-keys/${key.id}`);
    expect(answer.status).toBe(204);
    this.#ledger.ended(key.api_key);
  }

  /** Sends a write and books whether it was answered, and acknowledged. */
  async #write({ server }: Target, ...call: Parameters<TestServer['call']>): Promise<Reply> {
    this.#ledger.unanswered += 1;
    const answer = await server.call(...call);
    this.#ledger.unanswered -= 1;
    if (answer.status < 300) this.#ledger.acknowledged.add(requestIdOf(answer));
    return answer;
  }

  /** Whether an answer says, rightly, that there is no such secret. */
  #isMissing(answer: Reply, name: string): boolean {
    if (answer.status !== 404) return false;
    expect(this.#ledger.judge(name, null), name).toBeNull();
    return true;
  }

  #newName(): string {
    this.#made += 1;
    return `${this.#id}_${this.#made}`;
  }
}

/** What a resolve of one reference found. */
export function foundIn(answer: Reply): { version: number; value: string } | null {
  expect([200, 422], answer.text).toContain(answer.status);
  return answer.status === 200
    ? { version: answer.body.secrets[0].version, value: answer.body.config }
    : null;
}

function requestIdOf(answer: Reply): string {
  return answer.headers.get('x-request-id') ?? '';
}

function newValue(): string {
  return randomBytes(12).toString('hex');
}

function repeated<const T>(times: number, item: T): T[] {
  return Array.from({ length: times }, () => item);
}
