import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `node python/run-tests.ts`: ruff, mypy and pytest of the Python package, installed as users install it, in a
 * virtual environment of its own. The last line is `N passed, N failed`; a path as argument gets the same as
 * JSON. Where there is no Python 3.10, or what it needs cannot be installed, it says so and runs nothing; where
 * `CI` is set that is a failure.
 */

const folder = import.meta.dirname;
const environment = join(folder, '.venv');
const bin = join(environment, process.platform === 'win32' ? 'Scripts' : 'bin');

interface Count {
  readonly passed: number;
  readonly failed: number;
}

function main(): Count {
  const python = findPython();
  if (python === undefined) return skipped('there is no Python 3.10 or newer');
  if (!installRequirements(python)) return skipped('its requirements could not be installed');
  if (!installPackage()) return { passed: 0, failed: 1 };
  const checks = [
    run('ruff', ['format', '--check', '--quiet', '.']),
    run('ruff', ['check', '.']),
    run('mypy', []),
  ];
  const tests = runTests();
  return { passed: tests.passed, failed: tests.failed + checks.filter((passed) => !passed).length };
}

function skipped(reason: string): Count {
  process.stdout.write(`python: nothing was run, ${reason}\n`);
  return { passed: 0, failed: process.env['CI'] === undefined ? 0 : 1 };
}

function findPython(): string | undefined {
  const isNew = 'import sys; sys.exit(sys.version_info < (3, 10))';
  return ['python3', 'python'].find((name) => spawnSync(name, ['-c', isNew]).status === 0);
}

/** Makes the environment, unless it is there with the same requirements. */
function installRequirements(python: string): boolean {
  const requirements = join(folder, 'requirements-dev.txt');
  return once('requirements', [requirements], () => {
    rmSync(environment, { recursive: true, force: true });
    return (
      run(python, ['-m', 'venv', environment]) &&
      run('python', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
    );
  });
}

/** Builds the wheel and installs it, unless this very source is installed. */
function installPackage(): boolean {
  const source = readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(py|typed)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return once('package', [join(folder, 'pyproject.toml'), ...source], () =>
    run('python', [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
      ...['--no-build-isolation', '--no-deps', '--force-reinstall', folder],
    ]),
  );
}

/** Does something unless it was done for files of the same content. */
function once(name: string, files: readonly string[], work: () => boolean): boolean {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file));
  const wanted = hash.digest('hex');
  const stamp = join(environment, `.${name}`);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  if (!work()) return false;
  writeFileSync(stamp, wanted);
  return true;
}

/** Runs a program of the environment, or one of the system where that has none. */
function run(program: string, args: readonly string[]): boolean {
  const own = join(bin, program);
  const { status } = spawnSync(existsSync(own) ? own : program, args, { cwd: folder, stdio: 'inherit' });
  return status === 0;
}

/** Counts strictly: a pytest that ended badly without a report is a failure. */
function runTests(): Count {
  const temporary = mkdtempSync(join(tmpdir(), 'fm-python-'));
  const report = join(temporary, 'report.xml');
  const passed = run('python', ['-m', 'pytest', `--junitxml=${report}`]);
  const counts = existsSync(report) ? countsOf(readFileSync(report, 'utf8')) : { passed: 0, failed: 0 };
  rmSync(temporary, { recursive: true });
  return passed || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

function countsOf(xml: string): Count {
  const suite = /<testsuite [^>]*>/.exec(xml)?.[0] ?? '';
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = attribute('failures') + attribute('errors');
  return { passed: attribute('tests') - failed - attribute('skipped'), failed };
}

const count = main();
const report = process.argv[2];
if (report !== undefined) writeFileSync(report, JSON.stringify(count));
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed > 0 ? 1 : 0;
