import { type Command, Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { confirmPlace, GUARDED, writing } from '../confirm.ts';
import { exitCodes, localFailure, usageFailure } from '../failure.ts';
import { defined, type Planned, planImport } from '../import-plan.ts';
import { createTable } from '../print.ts';
import { parameterStore, secretsManager } from '../sources/aws.ts';
import { doppler, dotenv, infisical, json, yaml } from '../sources/files.ts';
import type { Source } from '../sources/source.ts';
import { studio } from '../sources/studio.ts';
import { vault } from '../sources/vault.ts';
import { common, type Host, selecting, type Tools, toolsOf } from '../tools.ts';

const KINDS = [
  'dotenv',
  'json',
  'yaml',
  'doppler',
  'infisical',
  'aws-secrets-manager',
  'aws-ssm',
  'vault',
  'studio',
] as const;
const sources: Readonly<Record<(typeof KINDS)[number], Source>> = {
  dotenv,
  json,
  yaml,
  doppler,
  infisical,
  'aws-secrets-manager': secretsManager,
  'aws-ssm': parameterStore,
  vault,
  studio,
};

const HELP = `
FROM is a file (- for standard input), the path within Vault, or the folder of a studio. Without --apply nothing is
written: each secret is shown with what would become of it, told by a keyed fingerprint. What is there with another
value is kept, unless --on-conflict replace. An import that was interrupted goes on when it is repeated.`;

/** `fm secrets import` */
export function addImporting(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('import').argument('[from]'))))
    .description('take secrets from a file or another store')
    .addOption(new Option('--from <kind>', 'what it is').choices(KINDS).makeOptionMandatory())
    .option('--plan', 'show what would be done (the default)')
    .option('--apply', 'do it')
    .addOption(
      new Option('--on-conflict <what>', 'what becomes of one that is there with another value')
        .choices(['keep', 'replace'] as const)
        .default('keep' as const),
    )
    .option('--prefix <text>', 'AWS: only names that begin with this, which is taken off')
    .option('--region <region>', 'AWS: the region')
    .option('--mount <mount>', 'Vault: where the engine is mounted (default secret)')
    .option('--studio-org <name>', 'studio: the organization')
    .addHelpText('after', HELP)
    .action(async (from, options) => {
      const tools = toolsOf(host, options);
      if (options.plan === true && options.apply === true)
        throw usageFailure('Say --plan or --apply, not both.');
      const { prefix, region, mount, studioOrg: org } = options;
      const read = await sources[options.from](host, from, { prefix, region, mount, org });
      const entries = read.filter(({ value }) => value.value !== '');
      const empty = read.length - entries.length;
      if (empty > 0) tools.terminal.note(`${empty} without a value are left out.`);
      const planned = await planImport(tools, entries, options);
      const isReplacing = options.onConflict === 'replace';
      if (options.apply !== true) return show(tools, planned, isReplacing);
      // An export of our own says by itself where each belongs.
      const isGuarded = planned.some(({ place }) => place.environment === GUARDED);
      await confirmPlace(tools, { yes: options.yes, env: isGuarded ? GUARDED : undefined });
      await apply(tools, planned, isReplacing, options.from);
    });
}

type Doing = 'create' | 'same' | 'change' | 'keep' | 'restore-first';

function doingOf({ result }: Planned, isReplacing: boolean): Doing {
  switch (result) {
    case 'absent':
      return 'create';
    case 'same':
      return 'same';
    case 'different':
      return isReplacing ? 'change' : 'keep';
    case 'deleted':
      return 'restore-first';
  }
}

function show({ terminal, json: isJson }: Tools, planned: readonly Planned[], isReplacing: boolean): void {
  const rows = planned.map((each) => {
    const { entry, place, version } = each;
    return { do: doingOf(each, isReplacing), name: entry.name, from: entry.origin, ...place, version };
  });
  if (isJson) {
    terminal.printJson(rows);
    return;
  }
  const table = createTable(terminal, ['DO', 'NAME', 'ENVIRONMENT', 'VERSION', 'FROM']);
  table.add(rows.map((row) => [row.do, row.name, row.environment, String(row.version ?? '-'), row.from]));
  table.end();
  terminal.note(`${summary(rows.map((row) => row.do))}. Nothing was written; --apply does it.`);
}

function summary(doings: readonly Doing[]): string {
  const counts = new Map<Doing, number>();
  for (const doing of doings) counts.set(doing, (counts.get(doing) ?? 0) + 1);
  return [...counts].map(([doing, count]) => `${doing} ${count}`).join(', ') || 'nothing to do';
}

const WRITERS = 4;

async function apply(
  tools: Tools,
  planned: readonly Planned[],
  isReplacing: boolean,
  kind: string,
): Promise<void> {
  const { terminal } = tools;
  const doings = planned.map((each) => doingOf(each, isReplacing));
  const writes = planned.filter((_, index) => doings[index] === 'create' || doings[index] === 'change');
  let done = 0;
  const queue = writes.values();
  const writer = async () => {
    for (const each of queue) {
      await put(tools, each, kind);
      done += 1;
      terminal.progress(`${done} of ${writes.length} written`);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: WRITERS }, writer));
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    terminal.warn(
      `${done} of ${writes.length} were written. Repeat the command: it goes on with the others.`,
    );
    throw failed.reason;
  }
  if (tools.json)
    terminal.printJson(
      planned.map(({ entry, place }, index) => ({ done: doings[index], name: entry.name, ...place })),
    );
  else terminal.done(`Imported: ${summary(doings)}.`);
  refuseLeft(doings);
}

/** Nothing that is there is lost; but a script must notice that not all was taken. */
function refuseLeft(doings: readonly Doing[]): void {
  const kept = doings.filter((doing) => doing === 'keep').length;
  const deleted = doings.filter((doing) => doing === 'restore-first').length;
  if (kept + deleted === 0) return;
  throw localFailure(
    'import-conflicts',
    'Not everything was taken',
    `${kept} kept their other value, ${deleted} are deleted.`,
    {
      exitCode: exitCodes.conflict,
      next: [
        ...(kept > 0 ? ['--on-conflict replace makes a new version of them.'] : []),
        ...(deleted > 0 ? ['What is deleted: fm secrets list --deleted'] : []),
      ],
    },
  );
}

async function put({ api }: Tools, { entry, place, version }: Planned, kind: string): Promise<void> {
  const { name, value, description, metadata, rotation_days } = entry;
  const about = { description, metadata, rotation_days };
  const at = defined(place);
  // What came there since the plan was made is not overwritten: one is refused as taken, the other by its version.
  if (version === null) await api.call(routes.createSecret, { name, ...value, ...at, ...about });
  else
    await api.call(routes.putSecret, {
      name,
      ...value,
      ...at,
      ...about,
      expected_version: version,
      reason: `Imported from ${kind}`,
    });
}
