import { type Command, Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { flat } from '../api.ts';
import { type Failure, usageFailure } from '../failure.ts';
import { type Placing, placing } from '../place.ts';
import { namesOf, type Resolved, resolveSecrets, variablesOf, winnersOf } from '../resolving.ts';
import { type ShellText, shellTexts } from '../shell-text.ts';
import { common, type Host, PAGE, type Tools, toolsOf } from '../tools.ts';

const FORMATS = ['metadata', 'json', 'bash', 'fish', 'powershell', 'env-file'] as const;

const HELP = `
metadata is JSON of all that is known of the secrets, without a value. The others hold values, so they take a
runtime key or a run token, and go to a program or a file:
  eval "$(fm secrets export --env staging --format bash)"        bash, zsh
  fm secrets export --env staging --format fish | source
  fm secrets export --env staging --format powershell | Out-String | Invoke-Expression
  fm secrets export --env staging --format env-file > secrets.env
json holds each value with what describes it, and fm secrets import takes it again.`;

/** `fm secrets export` */
export function addExporting(secrets: Command, host: Host): void {
  placing(common(secrets.command('export')))
    .description('what is known of all secrets; or the values that serve a place, for a shell or a file')
    .addOption(new Option('--format <format>', 'what to write').choices(FORMATS).default('metadata' as const))
    .option('--only <names>', 'these alone, with commas between')
    .addOption(namesOption())
    .option('--show', 'even when standard output is a terminal')
    .addHelpText('after', HELP)
    .action(async (options) => {
      const { format } = options;
      const tools = toolsOf(host, { takesRunToken: format !== 'metadata' });
      if (format === 'metadata') return exportMetadata(tools, options);
      if (tools.terminal.stdoutIsTerminal && options.show !== true) {
        throw usageFailure('The values would stay on this terminal. Nothing was resolved.', [
          'Send them to a program or a file, or say --show.',
        ]);
      }
      const names = namesOf(options.only);
      if (format === 'json') return exportJson(tools, options, names);
      const resolved = await resolveSecrets(tools, options, names);
      const variables = variablesOf(resolved, options.names);
      refuseUncarried(variables, shellTexts[format], format);
      tools.terminal.write(variables.map((each) => shellTexts[format].write(each)).join(''));
    });
}

/** How secrets are called as variables. */
export function namesOption() {
  return new Option(
    '--names <style>',
    'call variables in upper case (DB_URL of db-url), or the same as secrets',
  )
    .choices(['upper', 'same'] as const)
    .default('upper' as const);
}

/** @throws Failure that names every secret that this reader would not get byte by byte */
export function refuseUncarried(
  secrets: readonly Resolved[],
  { refusal }: Pick<ShellText, 'refusal'>,
  reader: string,
): void {
  const refused = secrets.flatMap(({ name, bytes }) => {
    const why = refusal(bytes);
    return why === null ? [] : [`  ${name}: ${why}`];
  });
  if (refused.length > 0) throw uncarried(reader, refused);
}

function uncarried(reader: string, refused: readonly string[]): Failure {
  return usageFailure(`Some values cannot go to ${reader} as they are. Nothing was written.`, [
    ...refused,
    'Leave them out with --only, or take another format.',
  ]);
}

async function exportMetadata(
  tools: Tools,
  { env, pipeline, user, only }: Placing & { only?: string | undefined },
) {
  const names = namesOf(only);
  const query = { environment: env, pipeline_id: pipeline, user, limit: PAGE };
  const all = await Array.fromAsync(flat(tools.api.pages(routes.listSecrets, query)));
  tools.terminal.printJson(names === undefined ? all : all.filter(({ name }) => names.includes(name)));
}

/** Each value with its coordinates and what describes it, as `import` takes it. */
async function exportJson(tools: Tools, place: Placing, only: readonly string[] | undefined): Promise<void> {
  if (place.env === undefined) throw usageFailure('Say of which environment, for example --env production.');
  const winners = await winnersOf(tools, place);
  const records = (await resolveSecrets(tools, place, only ?? [...winners.keys()])).map((resolved) => {
    const { name, encoding, bytes } = resolved;
    const known = winners.get(name);
    const about = Object.fromEntries(DESCRIBING.map((field) => [field, known?.[field] ?? null]));
    return { name, ...about, encoding, value: bytes.toString(encoding) };
  });
  tools.terminal.write(`${JSON.stringify(records, null, 2)}\n`);
}

const DESCRIBING = [
  'scope',
  'pipeline_id',
  'user',
  'environment',
  'description',
  'metadata',
  'rotation_days',
] as const;
