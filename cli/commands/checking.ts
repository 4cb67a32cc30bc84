import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { coordinatesKey } from '../../shared/contract/coordinates.ts';
import { problemType } from '../../shared/contract/errors.ts';
import { pathText, scanConfig } from '../../shared/contract/references.ts';
import { limits } from '../../shared/contract/resolve.ts';
import { exitCodes, Failure, localFailure } from '../failure.ts';
import { readJsonFile } from '../files.ts';
import { coordinatesAt, keyOf, type Placing, placeOf, placing, secretsNamed, wordsOf } from '../place.ts';
import { common, type Host, type Tools, toolsOf } from '../tools.ts';
import { type Checked, type Verdict, verdictOf } from '../verdict.ts';

interface Warning {
  readonly path: string;
  readonly kind: 'due' | 'url-query' | 'shadows';
  readonly detail: string;
}

/** `fm secrets check` */
export function addChecking(secrets: Command, host: Host): void {
  placing(common(secrets.command('check').argument('<pipeline.json>')))
    .description('prove every reference of a config before a run; exit 6 when one fails')
    .option('--strict', 'fail on warnings, too')
    .action(async (file, options) => {
      const tools = toolsOf(host, { takesRunToken: true });
      const place = placeOf(host, options);
      const config = await readJsonFile(host, file);
      const { references } = await checked(tools, { config, ...place });
      const judged = await judge(tools, references, options);
      const shadowing = await hidden(tools, references, options);
      const warnings = [...dueOnes(references), ...shadowing, ...inQueries(config)];
      const failing = judged.filter(({ verdict }) => verdict !== null);
      if (tools.json) tools.terminal.printJson({ references: judged, warnings });
      else print(tools, judged, warnings);
      if (failing.length > 0)
        throw unproven(
          `${failing.length} of ${count(references.length)} ${failing.length === 1 ? 'fails' : 'fail'}.`,
        );
      if (options.strict === true && warnings.length > 0) throw unproven('There are warnings.');
      if (!tools.json) tools.terminal.done(`${count(references.length)}, every one is served.`);
    });
}

/** A string that opens a reference without ending it is no wrong usage here, but what was looked for. */
async function checked({ api }: Tools, request: Parameters<typeof api.call<typeof routes.checkConfig>>[1]) {
  try {
    return await api.call(routes.checkConfig, request);
  } catch (error) {
    const isMalformed =
      error instanceof Failure && error.problem.type === problemType('unresolved_references');
    throw isMalformed ? new Failure(error.problem, exitCodes.unproven) : error;
  }
}

function unproven(detail: string): Failure {
  return localFailure('unproven-config', 'Not every reference is proven', detail, {
    exitCode: exitCodes.unproven,
  });
}

function count(references: number): string {
  return references === 1 ? '1 reference' : `${references} references`;
}

type Judged = Checked & { readonly verdict: Verdict | null };

async function judge(
  tools: Tools,
  references: readonly Checked[],
  place: Placing,
): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  for (const reference of references) {
    const verdict = reference.found
      ? null
      : verdictOf(reference, await secretsNamed(tools.api, reference.name), place);
    judged.push({ ...reference, verdict });
  }
  return judged;
}

function dueOnes(references: readonly Checked[]): readonly Warning[] {
  return references
    .filter(({ due }) => due === true)
    .map(({ name, paths }) => ({
      path: paths[0] ?? '$',
      kind: 'due',
      detail: `${name} is to be rotated: fm secrets rotate ${name}`,
    }));
}

/**
 * Names that win here and hide another one: whoever may write the narrower one decides what this run gets.
 * A run token's list holds what it could resolve, so with one, too.
 */
async function hidden(
  { api }: Tools,
  references: readonly Checked[],
  place: Placing,
): Promise<readonly Warning[]> {
  if (place.env === undefined) return [];
  const warnings: Warning[] = [];
  for (const { name, paths, found, scope } of references) {
    // The widest scope hides nothing but its own secret for every environment, which is what environments are for.
    if (!found || scope === undefined || scope === 'org') continue;
    const serving = coordinatesAt(name, place).map(coordinatesKey);
    const live = (await secretsNamed(api, name)).filter(({ deleted_at }) => deleted_at === null);
    const [winner, ...others] = live
      .filter((secret) => serving.includes(keyOf(secret)))
      .toSorted((one, two) => serving.indexOf(keyOf(one)) - serving.indexOf(keyOf(two)));
    const wider = others.filter((other) => other.scope !== winner?.scope);
    if (winner === undefined || wider.length === 0) continue;
    const detail = `${name} of ${wordsOf(winner)} hides that of ${wider.map(wordsOf).join('; ')}`;
    warnings.push({ path: paths[0] ?? '$', kind: 'shadows', detail });
  }
  return warnings;
}

// A scheme, an address, and a question mark that nothing has ended yet.
const openQuery = /[a-z][a-z0-9+.-]*:\/\/[^\s"'<>?#]*\?[^\s"'<>#]*$/i;

/** References in the query of a URL: proxies and servers write it into their access logs. */
function inQueries(config: unknown): readonly Warning[] {
  const scanned = scanConfig(structuredClone(config), limits.depth);
  const warnings: Warning[] = [];
  for (const { parts, at } of scanned?.slots ?? []) {
    let before = '';
    for (const part of parts) {
      if (typeof part !== 'string' && openQuery.test(before)) {
        const detail = `{{secrets.${part.key}}} stands in a URL's query, which access logs keep; send it in a header`;
        warnings.push({ path: pathText(at), kind: 'url-query', detail });
      }
      before += typeof part === 'string' ? part : 'x';
    }
  }
  return warnings;
}

function print({ terminal }: Tools, judged: readonly Judged[], warnings: readonly Warning[]): void {
  for (const { name, reference = name, paths, verdict } of judged) {
    if (verdict === null) continue;
    terminal.print(`${paths.join(', ')}: {{secrets.${reference}}} ${verdict.kind}: ${verdict.detail}`);
    terminal.print(`  mend: ${verdict.mend}`);
  }
  for (const { path, kind, detail } of warnings) terminal.print(`${path}: warning, ${kind}: ${detail}`);
}
