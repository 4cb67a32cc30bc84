import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, posix, relative } from 'node:path';
import { type Module, readModule } from './read-module.ts';

/** The floor each room stands on. An import goes down or stays in its room, so neighbours never meet. */
const floors: Readonly<Record<string, number>> = {
  'client/left-alone.ts': 0, // the published client's own, so that it and whoever stores a value say the same
  'shared/contract': 0,
  'console/headers.ts': 0, // what both hosts serve the console with
  'shared/envelope': 1,
  'shared/access': 1,
  'shared/http': 2,
  'shared/audit': 2,
  'shared/secrets': 3,
  'shared/callers': 3,
  'shared/reminders': 4, // verbs about secrets that are also about who is told: they build on both
  'shared/backup': 4,
  'shared/rotation': 4,
  'shared/services.ts': 5,
  'shared/aws': 6,
  'shared/embedded': 6,
  '#services': 6, // whichever of the two hosts the build condition picks
  functions: 7,
  'infra/aws': 8,
  'infra/local': 8,
};

/** Clients stand outside the house: all that they may import from it. `fm admin` runs the use-cases itself. */
const clients: readonly { readonly within: string; readonly mayImport: readonly string[] }[] = [
  {
    within: 'cli/commands/admin',
    // A restore fills either host from the other's keys.
    mayImport: [
      ...['cli', '#services', 'shared/secrets', 'shared/callers', 'shared/backup'],
      ...['shared/aws/open-services.ts', 'shared/aws/archive.ts', 'shared/embedded/keyring.ts'],
    ],
  },
  // The first organization on AWS, made by whoever IAM lets at the table.
  { within: 'cli/commands/bootstrapping', mayImport: ['cli', 'shared/callers', 'shared/aws'] },
  // Its bundles leave out what those of the functions do.
  { within: 'cli/build', mayImport: ['cli', 'infra/aws'] },
  // What it takes to verify an export on a machine that has no server.
  { within: 'cli/commands/audit', mayImport: ['cli', 'shared/audit'] },
  { within: 'cli', mayImport: ['cli', 'client/redaction.ts'] },
  { within: 'client', mayImport: ['client'] },
  { within: 'console', mayImport: ['console'] },
];
const openToClients = ['shared/contract', 'functions/routes.ts'];

/** Down by the floors, and refused all the same. */
const never: readonly { readonly from: string; readonly to: string; readonly instead: string }[] = [
  { from: 'functions', to: 'shared/aws', instead: "import '#services', which picks the host" },
  { from: 'functions', to: 'shared/embedded', instead: "import '#services', which picks the host" },
  { from: 'infra/aws', to: 'shared/embedded', instead: 'keep the two hosts apart' },
  { from: 'infra/local', to: 'shared/aws', instead: 'keep the two hosts apart' },
];

/** Packages with one home. A pattern that ends in `/` stands for everything below it. */
const homes: readonly { readonly of: string; readonly home: string }[] = [
  { of: '@aws-sdk/client-lambda', home: 'client' },
  { of: '@aws-sdk/client-secrets-manager', home: 'cli/sources' },
  { of: '@aws-sdk/client-ssm', home: 'cli/sources' },
  { of: '@aws-sdk/', home: 'shared/aws' },
  { of: 'pg', home: 'shared/rotation' },
  { of: 'node:sqlite', home: 'shared/embedded' },
  { of: 'aws-cdk-lib', home: 'infra/aws' },
  { of: 'constructs', home: 'infra/aws' },
];

const packagesOfContract = ['zod'];
const readsEnvironment = [
  /^shared\/[^/]+\/services\.ts$/,
  /^infra\//,
  /^cli\/main\.ts$/,
  /^client\/environment\.ts$/, // where a pipeline's process enters the package
];
const vagueFolders = ['utils', 'common', 'helpers', 'types'];
const maxLines = 250;
const longOnPurpose = ['functions/routes.ts']; // one table: cutting it in two would hide half of the routes
const launchers = ['cli/fm.cjs', 'cli/bin/fm.cjs']; // any Node must be able to read them, to say which one is needed
const manifest = 'package.json'; // no room, but the one place where the version stands

const roots = ['shared', 'functions', 'infra', 'cli', 'client', 'console'];

/**
 * Breaches of the house rules in the tree below `root`, one line each, and how many modules were read. None
 * at all is a breach: a guard that looks in the wrong place finds nothing wrong there.
 */
export function checkRooms(root: string): {
  readonly modules: number;
  readonly violations: readonly string[];
} {
  const files = roots.flatMap((folder) => filesBelow(root, folder));
  const modules = files.filter(isModule);
  const violations = files.flatMap(checkPath);
  for (const file of modules) violations.push(...checkModule(file, readFileSync(join(root, file), 'utf8')));
  if (modules.length === 0)
    violations.push(`${root}: no module read; run this where ${roots.join(', ')} lie`);
  return { modules: modules.length, violations };
}

function filesBelow(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !file.includes('node_modules/') && !file.startsWith('client/dist/'))
    .sort();
}

function checkPath(file: string): readonly string[] {
  const found: string[] = [];
  const vague = dirname(file)
    .split('/')
    .find((folder) => vagueFolders.includes(folder));
  if (vague !== undefined)
    found.push(`${file}: vague folder '${vague}'; put the file where its subject lives`);
  if (/\.(tsx|[cm]ts|[cm]?jsx?)$/.test(file) && !launchers.includes(file) && !isModule(file))
    found.push(`${file}: unread language; write a .ts module, the only kind that these rules read`);
  if (/^index\.[cm]?[jt]sx?$/.test(basename(file)))
    found.push(`${file}: barrel; delete it and import from the file that declares the name`);
  if (isModule(file) && roomOf(file) === null && clientOf(file) === undefined)
    found.push(
      `${file}: no room; move it into one, or add the room to the floors in test/rules/check-rooms.ts`,
    );
  return found;
}

/** The console's views are written in JSX, and nothing else is. */
function isModule(file: string): boolean {
  return file.endsWith('.ts') || (file.endsWith('.tsx') && lies(file, 'console'));
}

function checkModule(file: string, source: string): readonly string[] {
  let module: Module;
  try {
    module = readModule(file, source);
  } catch (error) {
    return [`${file}: unreadable; ${error instanceof Error ? error.message : String(error)}`];
  }
  const found = module.imports.flatMap(({ specifier, byName, line }) => {
    const complaint =
      specifier === null
        ? 'hidden import; begin it with a literal path, so that the room can be told'
        : checkImport(file, specifier, byName);
    return complaint === null ? [] : [`${file}:${line}: ${complaint}`];
  });
  if (module.onlyReExports)
    found.push(`${file}: barrel; delete it and import from the file that declares the name`);
  if (module.lines > maxLines && !longOnPurpose.includes(file))
    found.push(`${file}: ${module.lines} lines; split it, a file has at most ${maxLines}`);
  if (!/\.config\.ts$/.test(file))
    for (const line of module.defaultExports)
      found.push(`${file}:${line}: default export; export it by name`);
  if (!readsEnvironment.some((pattern) => pattern.test(file)))
    for (const line of module.environmentReads)
      found.push(
        `${file}:${line}: environment; read it in the host's services.ts or an entry point and pass it in`,
      );
  return found;
}

/** What is wrong with one import, or null. */
function checkImport(file: string, specifier: string, byName: boolean): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('#')) {
    const target = specifier.startsWith('#') ? specifier : posix.join(dirname(file), specifier);
    return checkTarget(file, target);
  }
  return checkPackage(file, specifier, byName);
}

function checkTarget(file: string, target: string): string | null {
  if (target === manifest) return null;
  const client = clientOf(file);
  if (client !== undefined) {
    const allowed = [...client.mayImport, ...openToClients];
    if (allowed.some((place) => lies(target, place))) return null;
    return `client reaches into ${target}; ${client.within} may import ${allowed.join(', ')}`;
  }
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === null) return null; // said once, for the file
  if (to === null) return `import of ${target}, which is in no room; import only from rooms with a floor`;
  if (from.room === to.room) return null;
  const refused = never.find((pair) => lies(from.room, pair.from) && lies(to.room, pair.to));
  if (refused !== undefined) return `${from.room} never imports ${to.room}; ${refused.instead}`;
  if (to.floor < from.floor) return null;
  const way = to.floor === from.floor ? 'a neighbour on the same floor' : 'upward';
  return `${from.room} (floor ${from.floor}) imports ${to.room} (floor ${to.floor}), ${way}; move what both need to a lower room, or declare a port`;
}

function checkPackage(file: string, specifier: string, byName: boolean): string | null {
  if (/^(node:)?process$/.test(specifier) && !readsEnvironment.some((pattern) => pattern.test(file)))
    return 'environment; use the global process, whose environment reads these rules can see';
  const home = homes.find(({ of }) => (of.endsWith('/') ? specifier.startsWith(of) : lies(specifier, of)));
  if (home !== undefined && !lies(file, home.home))
    return `'${specifier}' outside ${home.home}; go through a port`;
  if (lies(file, 'shared/contract') && !packagesOfContract.some((name) => lies(specifier, name)))
    return `contract imports ${isBuiltin(specifier) ? 'Node' : 'a package'} '${specifier}'; it may import ${packagesOfContract.join(', ')} only`;
  if (byName && lies(specifier, 'zod'))
    return "zod by name; write import * as z from 'zod', which bundles a quarter of the size";
  return null;
}

function roomOf(path: string): { readonly room: string; readonly floor: number } | null {
  const room = Object.keys(floors).find((name) => lies(path, name));
  return room === undefined ? null : { room, floor: floors[room] ?? 0 };
}

/** The first row wins, so the narrower one stands above. */
function clientOf(file: string): (typeof clients)[number] | undefined {
  return clients.find(({ within }) => lies(file, within) || lies(file, `${within}.ts`));
}

/** `path` is `place` or lies below it; `shared/awsome` does not lie in `shared/aws`. */
function lies(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

if (import.meta.main) {
  const { modules, violations } = checkRooms(join(import.meta.dirname, '../..'));
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.stdout.write(`rooms: ${modules} modules, ${violations.length} violations\n`);
  if (violations.length > 0) process.exitCode = 1;
}
