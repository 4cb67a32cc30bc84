import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;

/** atheris on the Python package: the reference grammar and the redactor. @returns whether both held */
export async function runAtheris(tools: string, seconds: number): Promise<boolean> {
  const environment = join(tools, 'python');
  const python = join(environment, 'bin/python');
  if (!existsSync(python)) {
    execFileSync('python3', ['-m', 'venv', environment]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    execFileSync(python, [...pip, 'atheris==3.0.0', 'httpx==0.28.1', 'anyio==4.16.0']);
  }
  const results = ['references', 'redactor'].map((target) => {
    const corpus = join(tools, 'corpus-python', target);
    mkdirSync(corpus, { recursive: true });
    cpSync(join(here, 'corpus', target), corpus, { recursive: true });
    const limits = [
      `-max_total_time=${Math.ceil(seconds / 2)}`,
      '-timeout=30',
      '-max_len=4096',
      '-verbosity=0',
    ];
    const crashes = `-artifact_prefix=${join(tools, `found-python-${target}-`)}`;
    const args = [
      join(here, 'python_targets.py'),
      target,
      ...limits,
      '-print_final_stats=1',
      crashes,
      corpus,
    ];
    const env = { ...process.env, PYTHONPATH: join(here, '../../python/src') };
    const { status } = spawnSync(python, args, { stdio: 'inherit', env });
    process.stdout.write(`python ${target}: ${status === 0 ? 'held' : 'broken'}\n`);
    return status === 0;
  });
  return results.every((held) => held);
}
