import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The emulators, pinned, in a folder that git ignores. Each is installed once, beside and then put in place. */
const tools = join(import.meta.dirname, '../../.tools');

const DYNAMODB_LOCAL = '3.3.1';
// MiniStack makes signing keys only where cryptography is installed.
const MINISTACK = ['ministack==1.5.33', 'cryptography==50.0.2'];
// Its studio keeps secrets only where cryptography is installed.
const STUDIO = ['flowmason==1.0.24', 'cryptography==50.0.2'];
const MOTO = ['moto[server]==5.2.5'];
const CFN_LINT = ['cfn-lint==1.58.0'];
/** AWS CloudFormation Guard 3.1.1: a program for Linux and macOS, which this package brings. */
const CFN_GUARD = '@cdklabs/cdk-validator-cfnguard@0.0.62';

/** @returns the folder of DynamoDB Local's jars */
export function installDynamoDBLocal(): string {
  return installed(`dynamodb-local-${DYNAMODB_LOCAL}`, (folder) => {
    writeFileSync(join(folder, 'pom.xml'), pom());
    run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], folder);
  });
}

/** @returns the folder of a Python environment with MiniStack */
export function installMiniStack(): string {
  return installed('ministack-1.5.33', (folder) => pipInstall(folder, MINISTACK));
}

/** @returns the folder of a Python environment with moto */
export function installMoto(): string {
  return installed('moto-5.2.5', (folder) => pipInstall(folder, MOTO));
}

/** @returns the folder of a Python environment with the `flowmason` package and what its studio needs */
export function installStudio(): string {
  return installed('flowmason-1.0.24', (folder) => pipInstall(folder, STUDIO));
}

/** @returns the folder of a Python environment with cfn-lint */
export function installCfnLint(): string {
  return installed('cfn-lint-1.58.0', (folder) => pipInstall(folder, CFN_LINT));
}

/** @returns the program of AWS CloudFormation Guard */
export function installCfnGuard(): string {
  const folder = installed('cfn-guard-3.1.1', (made) => {
    run('npm', ['pack', '--silent', CFN_GUARD], made);
    const [packed = ''] = readdirSync(made).filter((name) => name.endsWith('.tgz'));
    run('tar', ['-xzf', packed], made);
    rmSync(join(made, packed));
  });
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return join(
    folder,
    'package/bin',
    process.platform === 'darwin' ? 'macos' : 'ubuntu',
    machine,
    'cfn-guard',
  );
}

/** A Python environment may not be moved, so a file says that it is whole. */
function installed(name: string, install: (folder: string) => void): string {
  const folder = join(tools, name);
  const whole = join(folder, '.installed');
  if (existsSync(whole)) return folder;
  process.stdout.write(`installing ${name} …\n`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  install(folder);
  writeFileSync(`${whole}.tmp`, '');
  renameSync(`${whole}.tmp`, whole);
  return folder;
}

function pipInstall(folder: string, packages: readonly string[]): void {
  run('python3', ['-m', 'venv', folder], tools);
  run(join(folder, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', ...packages], tools);
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}`);
}

function pom(): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>flowmason</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>software.amazon.dynamodb</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>${DYNAMODB_LOCAL}</version>
    </dependency>
  </dependencies>
</project>
`;
}
