import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { formsOf } from '../client/derived.ts';
import { Redactor } from '../client/redaction.ts';
import { Random } from '../test/testkit/random.ts';

/**
 * `npm run bench:redaction`: 1 MiB of log against 1,000 secrets in all of their forms, here and in Python, beside
 * the libraries that find many texts at once. It installs those into .tools, prints a table in Markdown, and
 * judges nothing. Of the libraries the search alone is timed; ours also chooses among matches and replaces.
 */

const rivals = ['ahocorasick@1.0.2', 'modern-ahocorasick@3.3.0', '@monyone/aho-corasick@1.1.11'];
const root = join(import.meta.dirname, '..');
const tools = join(root, '.tools/bench-redaction');
const BYTES = 1024 * 1024;
const LEAKS = 200;

interface Corpus {
  readonly secrets: readonly string[];
  readonly patterns: readonly string[];
  readonly log: string;
}

function newCorpus(): Corpus {
  const random = new Random(1);
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'];
  const text = (length: number) => Array.from({ length }, () => random.pick(letters)).join('');
  const secrets = Array.from({ length: 1000 }, () => `sk-live-${text(32)}`);
  const words = [
    'INFO',
    'stage',
    'finished',
    'sk-live-',
    '{"id":7,"ok":true}',
    'https://example.com/a?b=c',
    'ünï',
  ];
  const lines: string[] = [];
  for (let size = 0; size < BYTES; ) {
    const said = Array.from({ length: 8 }, () => random.pick(words)).join(' ');
    lines.push(`2026-11-01T00:00:00Z ${text(12)} ${said}`);
    size += (lines.at(-1)?.length ?? 0) + 1;
  }
  for (let count = 0; count < LEAKS; count += 1) {
    const forms = [...formsOf(random.pick(secrets))];
    lines.splice(random.below(lines.length), 0, `leak ${random.pick(forms)}`);
  }
  return {
    secrets,
    patterns: [...new Set(secrets.flatMap((each) => [...formsOf(each)]))],
    log: lines.join('\n'),
  };
}

/** Milliseconds: the median of nine. */
function median(work: () => unknown): number {
  const times = Array.from({ length: 9 }, () => once(work)).sort((a, b) => a - b);
  return times[4] ?? 0;
}

function once(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function row(name: string, build: () => (log: string) => number, { log }: Corpus): string {
  let search: (log: string) => number = () => 0;
  const built = once(() => {
    search = build();
  });
  const found = search(log);
  return `| Node | ${name} | ${built.toFixed(0)} | ${median(() => search(log)).toFixed(1)} | ${found} |`;
}

function installRivals(): NodeJS.Require {
  mkdirSync(tools, { recursive: true });
  if (!existsSync(join(tools, 'node_modules'))) {
    writeFileSync(join(tools, 'package.json'), '{"private":true}');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...rivals], {
      cwd: tools,
    });
  }
  return createRequire(join(tools, 'package.json'));
}

/** What is there of a library that brings no types. */
function named(module: unknown, name: string): new (patterns: readonly string[]) => Record<string, unknown> {
  return Reflect.get(Object(module), name);
}

function nodeRows(corpus: Corpus): string[] {
  const load = installRivals();
  const { secrets, patterns } = corpus;
  const count = (engine: Record<string, unknown>, method: string) => (log: string) => {
    const found = Reflect.apply(engine[method] as () => Iterable<unknown>, engine, [log]);
    return [...found].length;
  };
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const rows: [string, () => (log: string) => number][] = [
    [
      'this redactor, with the replacing',
      () => {
        const redactor = new Redactor(secrets);
        return (log) => redactor.redact(log).split('****...****').length - 1;
      },
    ],
    [
      'one RegExp, longest first',
      () => {
        const sorted = patterns.toSorted((a, b) => b.length - a.length);
        const expression = new RegExp(sorted.map(escaped).join('|'), 'g');
        return (log) => log.match(expression)?.length ?? 0;
      },
    ],
    ['ahocorasick 1.0.2', () => count(new (load('ahocorasick'))(patterns), 'search')],
    ['modern-ahocorasick 3.3.0', () => count(new (load('modern-ahocorasick'))(patterns), 'search')],
    [
      '@monyone/aho-corasick',
      () => count(new (named(load('@monyone/aho-corasick'), 'AhoCorasick'))(patterns), 'matchInText'),
    ],
  ];
  return rows.map(([name, build]) => {
    try {
      return row(name, build, corpus);
    } catch (error) {
      return `| Node | ${name} | did not run: ${String(error).slice(0, 80)} | | |`;
    }
  });
}

function pythonRows(corpus: Corpus): string[] {
  const python = join(root, 'python/.venv/bin/python');
  if (!existsSync(python)) return ['| Python | run `node python/run-tests.ts` first | | | |'];
  const folder = mkdtempSync(join(tmpdir(), 'fm-bench-'));
  const libraries = join(tools, 'python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', libraries];
  if (!existsSync(libraries)) execFileSync(python, [...pip, 'pyahocorasick==2.3.1']);
  const file = join(folder, 'corpus.json');
  writeFileSync(file, JSON.stringify(corpus));
  try {
    const env = { ...process.env, PYTHONPATH: libraries };
    return execFileSync(python, [join(import.meta.dirname, 'redaction.py'), file], { env, encoding: 'utf8' })
      .trimEnd()
      .split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const corpus = newCorpus();
const memory = /MemTotal: *(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? '0';
const machine = `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(Number(memory) / 1024 / 1024)} GB`;
process.stdout.write(
  [
    `${machine}; Node ${process.version}; load ${loadavg()[0]?.toFixed(2)}; ${corpus.secrets.length} secrets,`,
    `${corpus.patterns.length} forms; ${(corpus.log.length / BYTES).toFixed(2)} MiB of log with ${LEAKS} leaks`,
    '',
    '| in | by | build, ms | search, ms | matches |',
    '|---|---|---|---|---|',
    ...nodeRows(corpus),
    ...pythonRows(corpus),
    '',
  ].join('\n'),
);
