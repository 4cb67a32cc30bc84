import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import { Embedded, fill, startBare } from './embedded.ts';
import type { Figures } from './figures.ts';
import { RESTART } from './growth.ts';
import { load, run } from './load.ts';
import { OpenBao, vaultOnPath } from './openbao.ts';
import { cpuOf, memoryOf } from './process.ts';
import { type Contender, nameOf, REFERENCES, SECRETS } from './store.ts';

const CONNECTIONS = [1, 16, 64];
export const BARE = 'bare node:http';
export const CONFIG = `a config of ${REFERENCES} references`;
const STUDIO = 'flowmason package, in its own process, no server';
const ROUNDS = 3;
const SECONDS = 2;

export function oneReference(connections: number): string {
  return `one reference, ${plural(connections)}`;
}

export function writeOf(connections: number): string {
  return `write, durable, ${plural(connections)}`;
}

function plural(connections: number): string {
  return connections === 1 ? '1 connection' : `${connections} connections`;
}

/** The servers beside each other: reads, configs, writes, lists, starts, memory and command lines. */
export async function measureServing(figures: Figures, folder: string): Promise<void> {
  const dataDir = join(folder, 'embedded');
  const ours = await Embedded.start(dataDir, folder, await fill(dataDir, SECRETS));
  const contenders: Contender[] = [ours];
  const vault = vaultOnPath();
  if (vault !== null) {
    for (const storage of ['raft', 'file'] as const)
      contenders.push(await OpenBao.start(vault.program, storage, folder));
  }
  try {
    await ours.settle();
    for (const contender of contenders) {
      await contender.restart();
      figures.add('memory', `${contender.name}, idle with 10,000 secrets`, 'MB', memoryOf(contender.pid()));
      await warm(folder, contender);
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      await readRound(figures, folder, contenders, ours);
      await writeRound(figures, folder, contenders, `round ${round}`);
      await restRound(figures, contenders);
    }
    for (const contender of contenders)
      figures.add('memory', `${contender.name}, after the load`, 'MB', memoryOf(contender.pid()));
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

async function warm(folder: string, contender: Contender): Promise<void> {
  const { headers, reads, writeHeaders } = contender;
  await load(folder, contender.url(), headers, reads, { connections: 64, seconds: 4 });
  await load(folder, contender.url(), writeHeaders, contender.writes('warm'), {
    connections: 64,
    seconds: 2,
  });
  if (contender.configs !== null)
    await load(folder, contender.url(), headers, contender.configs, { connections: 4, seconds: 2 });
  await contender.settle();
}

async function readRound(figures: Figures, folder: string, contenders: readonly Contender[], ours: Embedded) {
  const bare = await startBare();
  const asked = { headers: ours.headers, reads: ours.reads };
  for (const connections of CONNECTIONS) {
    const work = oneReference(connections);
    const { perSecond, p50 } = await load(folder, bare.url, asked.headers, asked.reads, {
      connections,
      seconds: SECONDS,
    });
    figures.add(work, BARE, 'a second', perSecond);
    figures.add(work, BARE, 'p50 ms', p50);
    for (const contender of contenders) {
      const { url, pid, headers, reads, name } = bound(contender);
      const cpu = cpuOf(pid);
      const served = await load(folder, url, headers, reads, { connections, seconds: SECONDS });
      await contender.settle();
      figures.add(work, name, 'a second', served.perSecond);
      figures.add(work, name, 'p50 ms', served.p50);
      figures.add(work, name, 'p99 ms', served.p99);
      const each = ((cpuOf(pid) - cpu) * 1000) / (served.perSecond * SECONDS);
      figures.add(work, name, 'µs CPU a request, recording included', each);
    }
  }
  await bare.stop();
  for (const contender of contenders) {
    const { url, headers, reads, name } = bound(contender);
    if (contender.configs === null) {
      // Its best: all of them at once, as fast as so many connections are served.
      const many = await load(folder, url, headers, reads, { connections: REFERENCES, seconds: SECONDS });
      figures.add(CONFIG, name, 'ms', (REFERENCES / many.perSecond) * 1000);
    } else {
      const one = await load(folder, url, headers, contender.configs, { connections: 1, seconds: SECONDS });
      figures.add(CONFIG, name, 'ms', one.p50);
      figures.add(CONFIG, name, 'p99 ms', one.p99);
      await contender.settle();
    }
  }
}

function bound(contender: Contender) {
  const { name, headers, reads } = contender;
  return { name, headers, reads, url: contender.url(), pid: contender.pid() };
}

async function writeRound(
  figures: Figures,
  folder: string,
  contenders: readonly Contender[],
  salt: string,
): Promise<void> {
  for (const connections of CONNECTIONS) {
    for (const contender of contenders) {
      const asks = contender.writes(`${salt} ${connections}`);
      const options = { connections, seconds: SECONDS };
      const written = await load(folder, contender.url(), contender.writeHeaders, asks, options);
      await contender.settle();
      figures.add(writeOf(connections), contender.name, 'a second', written.perSecond);
      figures.add(writeOf(connections), contender.name, 'p99 ms', written.p99);
    }
  }
  for (const contender of contenders) {
    const options = { connections: 16, seconds: SECONDS };
    const asks = contender.rotations(salt);
    const rotated = await load(folder, contender.url(), contender.writeHeaders, asks, options);
    await contender.settle();
    figures.add('rotate, durable, 16 connections', contender.name, 'a second', rotated.perSecond);
  }
}

async function restRound(figures: Figures, contenders: readonly Contender[]): Promise<void> {
  for (const contender of contenders) {
    const started = performance.now();
    const count = await contender.list();
    const taken = ((performance.now() - started) * SECRETS) / count;
    figures.add('list the metadata of 10,000, pages of 100', contender.name, 'ms', taken);
    commandLine(figures, contender);
  }
  for (const contender of contenders)
    figures.add(RESTART, `${contender.name}, 10,000 secrets and more`, 'ms', await contender.restart());
}

const COMMAND = 'command line, one-shot';

function commandLine(figures: Figures, contender: Contender): void {
  const fm = join(import.meta.dirname, '../cli/fm.cjs');
  const [command, args, env] =
    contender instanceof Embedded
      ? [process.execPath, [fm, 'secrets', 'get', nameOf(0)], envOfOurs(contender)]
      : [(contender as OpenBao).program, ['kv', 'get', '-mount=kv', nameOf(0)], envOfTheirs(contender)];
  for (let at = 0; at < 3; at += 1) {
    const started = performance.now();
    const { status, stderr } = spawnSync(command, args, {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.slice(-300)}`);
    if (at > 0) figures.add(COMMAND, contender.name, 'ms', performance.now() - started);
  }
}

function envOfOurs(server: Embedded) {
  return { FM_API_URL: server.url(), FM_API_KEY: server.keys.admin };
}

function envOfTheirs(server: Contender) {
  const token = server.headers['x-vault-token'] ?? '';
  return { BAO_ADDR: server.url(), BAO_TOKEN: token, VAULT_ADDR: server.url(), VAULT_TOKEN: token };
}

/** The `flowmason` package's own service: a Python library over files. Its times are those of a call, not a request. */
export async function measureStudio(figures: Figures): Promise<void> {
  const environment = join(import.meta.dirname, '.venv');
  const python = join(environment, 'bin/python');
  await run('python3', ['-m', 'venv', environment]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await run(python, [...install, '--no-deps', 'flowmason==1.0.24']);
  await run(python, [...install, 'cryptography==50.0.2']);
  const said = await run(python, [join(import.meta.dirname, 'studio.py')]);
  const times = z.object({ read: z.number(), config: z.number(), write: z.number(), list: z.number() });
  const { read, config, write, list } = times.parse(JSON.parse(said));
  figures.add(oneReference(1), STUDIO, 'a second', 1000 / read);
  figures.add(oneReference(1), STUDIO, 'p50 ms', read);
  figures.add(CONFIG, STUDIO, 'ms', config);
  figures.add('write, durable, 1 connection', `${STUDIO} (not synced)`, 'a second', 1000 / write);
  figures.add('list the metadata of 10,000, pages of 100', STUDIO, 'ms', list);
}
