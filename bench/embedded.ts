import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import { type Ask, run } from './load.ts';
import { begin, end, eventually, freePort } from './process.ts';
import { type Contender, configs, nameOf, newValue, SECRETS, scattered, VALUE, WRITES } from './store.ts';

const keys = z.object({ admin: z.string(), runtime: z.string() });
type Keys = z.infer<typeof keys>;

const root = join(import.meta.dirname, '..');

function environment(dataDir: string, port = 0): NodeJS.ProcessEnv {
  return {
    ...process.env,
    FM_DATA_DIR: dataDir,
    FM_PORT: String(port),
    // A thousand requests a second for each credential is how the others are protected, not how fast it is.
    FM_RATE_LIMIT: '0',
    NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
  };
}

/** Fills a data dir. @param every the distance between the numbers of secrets */
export async function fill(dataDir: string, count: number, every = 1): Promise<Keys> {
  const args = [join(import.meta.dirname, 'seed.ts'), String(count), String(every)];
  return keys.parse(JSON.parse(await run(process.execPath, args, environment(dataDir))));
}

/** Our embedded server, over HTTP, as `npm start` starts it. */
export class Embedded implements Contender {
  readonly name = 'FlowMason Secrets, embedded';
  readonly keys: Keys;
  readonly headers: Readonly<Record<string, string>>;
  readonly reads = scattered(2000).map((index) => resolveOf({ key: `{{secrets.${nameOf(index)}}}` }));
  readonly configs = configs().map((names) =>
    resolveOf(Object.fromEntries(names.map((name, at) => [`key_${at}`, `{{secrets.${name}}}`]))),
  );
  readonly #dataDir: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #port = 0;

  private constructor(dataDir: string, folder: string, made: Keys) {
    this.#dataDir = dataDir;
    this.#folder = folder;
    this.keys = made;
    this.headers = { authorization: `Bearer ${made.runtime}`, 'content-type': 'application/json' };
  }

  static async start(dataDir: string, folder: string, made: Keys): Promise<Embedded> {
    const server = new Embedded(dataDir, folder, made);
    server.#port = await freePort();
    await server.#begin();
    return server;
  }

  /** A writer needs another role than a reader. */
  get writeHeaders(): Readonly<Record<string, string>> {
    return { ...this.headers, authorization: `Bearer ${this.keys.admin}` };
  }

  writes(salt: string): Ask[] {
    return Array.from({ length: WRITES }, (_, at) => ({
      method: 'PUT',
      path: `/api/v1/secrets/w${at}`,
      body: JSON.stringify({ value: newValue(salt, at), environment: 'production' }),
    }));
  }

  rotations(salt: string): Ask[] {
    return scattered(WRITES).map((index, at) => ({
      method: 'POST',
      path: `/api/v1/secrets/${nameOf(index)}/rotate`,
      body: JSON.stringify({ new_value: newValue(salt, at) }),
    }));
  }

  url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  pid(): number {
    return this.#child?.pid ?? 0;
  }

  async list(): Promise<number> {
    let path: string | undefined = '/api/v1/secrets?limit=100';
    let count = 0;
    while (path !== undefined) {
      const answer: Response = await fetch(this.url() + path, { headers: this.writeHeaders });
      count += z.array(z.unknown()).parse(await answer.json()).length;
      path = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    if (count < SECRETS) throw new Error(`${count} secrets were listed`);
    return count;
  }

  async restart(): Promise<number> {
    await this.stop();
    return this.#begin();
  }

  async settle(): Promise<void> {
    const health = z.object({ audit_lag: z.literal(0) });
    await eventually(async () => health.parse(await (await fetch(`${this.url()}/health`)).json()), 100);
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await end(this.#child);
  }

  async #begin(): Promise<number> {
    const started = performance.now();
    const server = join(root, 'infra/local/server.ts');
    const env = environment(this.#dataDir, this.#port);
    this.#child = begin(process.execPath, [server], join(this.#folder, 'embedded.log'), env);
    await eventually(() => this.#firstValue());
    return performance.now() - started;
  }

  async #firstValue(): Promise<void> {
    const body = JSON.stringify({ environment: 'production', config: `{{secrets.${nameOf(0)}}}` });
    const answer = await fetch(`${this.url()}/api/v1/resolve`, {
      method: 'POST',
      headers: this.headers,
      body,
    });
    if (answer.status !== 200) throw new Error(`the first resolve was answered ${answer.status}`);
    await answer.arrayBuffer();
  }
}

function resolveOf(config: Readonly<Record<string, string>>) {
  return {
    method: 'POST',
    path: '/api/v1/resolve',
    body: JSON.stringify({ environment: 'production', config }),
  };
}

/** Bare `node:http`: what a Node server cannot be faster than. */
export async function startBare(): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort();
  const answer = JSON.stringify({ config: { key: VALUE }, secrets: [{ name: nameOf(0), version: 1 }] });
  const code = `require('node:http').createServer((request, response) => {
    request.on('data', () => {}).on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ${answer.length} });
      response.end(${JSON.stringify(answer)});
    });
  }).listen(${port}, '127.0.0.1');`;
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(url)).arrayBuffer());
  return { url, stop: () => end(child) };
}
