import { coordinatesKey } from '../shared/contract/coordinates.ts';
import type { ReferenceProblem } from '../shared/contract/errors.ts';
import type { CheckResponse } from '../shared/contract/resolve.ts';
import type { SecretMetadata } from '../shared/contract/secrets.ts';
import { coordinatesAt, flagsFor, keyOf, type Placing, wordsOf } from './place.ts';

/** One reference of a config, as the API checked it. */
export type Checked = CheckResponse['references'][number];

/** What is wrong with a reference, and the command that mends it. */
export interface Verdict {
  readonly kind:
    | 'missing'
    | 'ambiguous'
    | 'wrong-scope'
    | 'deleted'
    | Exclude<ReferenceProblem['code'], 'not_found'>;
  readonly detail: string;
  readonly mend: string;
}

/**
 * Why a reference is not served at a place, by all the secrets of its name that can be seen.
 * @param named every one of its name, deleted ones too
 */
export function verdictOf(reference: Checked, named: readonly SecretMetadata[], place: Placing): Verdict {
  const { name, code = 'not_found' } = reference;
  if (code !== 'not_found') return { kind: code, detail: reference.problem ?? '', mend: mendOf(code, name) };
  const serving = place.env === undefined ? [] : coordinatesAt(name, place).map(coordinatesKey);
  const deleted = named.find((secret) => secret.deleted_at !== null && serving.includes(keyOf(secret)));
  if (deleted !== undefined) {
    const restore = `fm secrets restore ${name}${flagsFor(deleted)}`;
    return { kind: 'deleted', detail: `it was deleted (${wordsOf(deleted)})`, mend: restore };
  }
  const elsewhere = named.filter((secret) => secret.deleted_at === null);
  if (elsewhere.length > 0) return misplaced(name, elsewhere, place);
  const store = `fm secrets set ${name}${place.env === undefined ? '' : ` --env ${place.env}`}`;
  if (reference.nearest === undefined)
    return { kind: 'missing', detail: 'there is no secret of this name here', mend: store };
  const detail = `there is no secret of this name here; the nearest is ${reference.nearest}`;
  return { kind: 'missing', detail, mend: `write {{secrets.${reference.nearest}}}, or ${store}` };
}

/** It is there, and serves something else: another environment, or an owner that was not said. */
function misplaced(name: string, elsewhere: readonly SecretMetadata[], place: Placing): Verdict {
  const places = elsewhere.map(wordsOf).join('; ');
  const isHere = (secret: SecretMetadata) => secret.environment === null || secret.environment === place.env;
  const owned = elsewhere.filter((secret) => secret.scope !== 'org' && isHere(secret));
  const unsaid = owned.filter(({ scope }) => place[scope === 'pipeline' ? 'pipeline' : 'user'] === undefined);
  const [only] = unsaid;
  if (only !== undefined) {
    const flag = only.scope === 'pipeline' ? `--pipeline ${only.pipeline_id}` : `--user ${only.user}`;
    const kind = unsaid.length > 1 ? 'ambiguous' : 'wrong-scope';
    return { kind, detail: `it serves only: ${places}`, mend: `check again with ${flag}` };
  }
  const [other] = elsewhere;
  const at = other === undefined ? '' : flagsFor({ ...other, environment: place.env ?? null });
  return { kind: 'wrong-scope', detail: `it serves only: ${places}`, mend: `fm secrets set ${name}${at}` };
}

function mendOf(code: ReferenceProblem['code'], name: string): string {
  switch (code) {
    case 'no_such_version':
      return `fm secrets history ${name}`;
    case 'no_pending_version':
      return `fm secrets rotate ${name} --stage, or write {{secrets.${name}}}`;
    case 'no_previous_version':
      return `fm secrets rotate ${name} --keep-previous-for 24h, or write {{secrets.${name}}}`;
    case 'not_found':
    case 'not_json':
    case 'no_such_field':
    case 'field_too_deep':
    case 'line_break_in_header':
      return `fm secrets set ${name}`;
  }
}
