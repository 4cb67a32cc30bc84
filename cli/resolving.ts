import * as routes from '../functions/routes.ts';
import { coordinatesKey } from '../shared/contract/coordinates.ts';
import { problemType } from '../shared/contract/errors.ts';
import type { SecretMetadata } from '../shared/contract/secrets.ts';
import { exitCodes, Failure, usageFailure } from './failure.ts';
import { coordinatesAt, keyOf, type Placing, placeOf } from './place.ts';
import { PAGE, type Tools } from './tools.ts';

/** A value that was resolved. */
export interface Resolved {
  readonly name: string;
  readonly bytes: Buffer;
  /** `base64` when it holds bytes that are no text. */
  readonly encoding: 'utf8' | 'base64';
}

// Fewer than a config may name: the answer must also fit, however long the values are.
const BATCH = 64;

/**
 * Resolves secrets at a place: those of the names, or every one that serves it. The order is theirs.
 * @throws Failure when one of the names does not resolve: then none is returned
 */
export async function resolveSecrets(
  tools: Tools,
  place: Placing,
  names: readonly string[] | undefined,
): Promise<readonly Resolved[]> {
  const at = placeOf(tools, place);
  const wanted = names ?? (await servingNames(tools, place));
  const resolved: Resolved[] = [];
  for (let done = 0; done < wanted.length; done += BATCH) {
    resolved.push(...(await resolveBatch(tools, at, wanted.slice(done, done + BATCH))));
    tools.terminal.progress(`${resolved.length} of ${wanted.length} resolved`);
  }
  return resolved;
}

/** The names of the secrets that serve a place. With a run token the list holds no others. */
async function servingNames({ api }: Tools, place: Placing): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const secret of await servingSecrets(api, place)) names.add(secret.name);
  return [...names];
}

/** What is known of each secret that wins at a place, by name. */
export async function winnersOf(tools: Tools, place: Placing): Promise<ReadonlyMap<string, SecretMetadata>> {
  const winners = new Map<string, SecretMetadata>();
  const orders = new Map<string, number>();
  for (const secret of await servingSecrets(tools.api, place)) {
    const order = orderOf(secret, place);
    const before = orders.get(secret.name);
    if (before !== undefined && before <= order) continue;
    orders.set(secret.name, order);
    winners.set(secret.name, secret);
  }
  return winners;
}

async function servingSecrets(api: Tools['api'], place: Placing): Promise<readonly SecretMetadata[]> {
  const serving: SecretMetadata[] = [];
  for await (const page of api.pages(routes.listSecrets, { limit: PAGE })) {
    serving.push(...page.filter((secret) => place.env === undefined || orderOf(secret, place) >= 0));
  }
  return serving;
}

/** Its turn at a place, -1 when it does not serve it. */
function orderOf(secret: SecretMetadata, place: Placing): number {
  if (place.env === undefined) return 0;
  return coordinatesAt(secret.name, place).map(coordinatesKey).indexOf(keyOf(secret));
}

async function resolveBatch(
  tools: Tools,
  at: ReturnType<typeof placeOf>,
  names: readonly string[],
): Promise<readonly Resolved[]> {
  try {
    // An array, since some names mean something to a resolve when they are keys: `headers`.
    const config = names.map((name) => `{{secrets.${name}}}`);
    const answer = await tools.api.call(routes.resolveConfig, { config, ...at });
    const values = answer.config as readonly string[];
    const bytesOf = new Set(
      answer.secrets.filter(({ encoding }) => encoding === 'base64').flatMap(({ references }) => references),
    );
    return names.map((name, index) => {
      const encoding = bytesOf.has(name) ? 'base64' : 'utf8';
      return { name, encoding, bytes: Buffer.from(values[index] ?? '', encoding) };
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.problem.type === problemType('unresolved_references'))
      throw new Failure(error.problem, exitCodes.notFound, [
        'Why, and what mends it: fm secrets explain NAME',
      ]);
    if (error.problem.type !== problemType('answer_too_large') || names.length === 1) throw error;
    const half = Math.ceil(names.length / 2);
    const first = await resolveBatch(tools, at, names.slice(0, half));
    return [...first, ...(await resolveBatch(tools, at, names.slice(half)))];
  }
}

/** The names of `--only a,b`. @throws Failure wrong usage when there is none */
export function namesOf(only: string | undefined): readonly string[] | undefined {
  if (only === undefined) return undefined;
  const names = only.split(',').map((name) => name.trim());
  if (names.some((name) => !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)))
    throw usageFailure('--only takes names with commas between, for example --only db_url,api_key.');
  return [...new Set(names)];
}

/**
 * What each secret is called in an environment: in upper case, `-` as `_`; or as it is, but for the `-`.
 * @throws Failure wrong usage when two would be called the same, or as something that starts programs
 */
export function variablesOf(
  secrets: readonly Resolved[],
  style: 'upper' | 'same',
): readonly (Resolved & { readonly variable: string })[] {
  const taken = new Map<string, string>();
  return secrets.map((secret) => {
    const same = secret.name.replaceAll('-', '_');
    const variable = style === 'upper' ? same.toUpperCase() : same;
    const other = taken.get(variable);
    if (other !== undefined) {
      throw usageFailure(`${other} and ${secret.name} would both be called ${variable}.`, [
        'Name those that are needed with --only, or keep their names with --names same.',
      ]);
    }
    if (steersPrograms.test(variable)) {
      throw usageFailure(`${secret.name} would be called ${variable}, by which programs are steered.`, [
        'Give it another name, or leave it out with --only.',
      ]);
    }
    taken.set(variable, secret.name);
    return { ...secret, variable };
  });
}

// Whoever may write a secret must not thereby decide what runs on the machine of whoever reads it.
const steersPrograms =
  /^(PATH|IFS|ENV|BASH_ENV|SHELLOPTS|PS4|PROMPT_COMMAND|LD_[A-Z_]+|DYLD_[A-Z_]+|NODE_OPTIONS|PYTHONPATH|PYTHONSTARTUP|PERL5OPT|PERL5LIB|RUBYOPT|GIT_SSH_COMMAND|HOME|SHELL)$/i;
