import { coordinatesKey } from '../contract/coordinates.ts';
import type { ReferenceProblem } from '../contract/errors.ts';
import type { OrganizationId } from '../contract/ids.ts';
import { type FieldResult, parseJsonSecret, takeField } from '../contract/json-field.ts';
import { isUnderHeaders, type Reference } from '../contract/references.ts';
import { valueText } from '../contract/value.ts';
import type { DataKeyLoans } from '../envelope/data-key-loan.ts';
import type { DataKeyName, DataKeys } from '../envelope/data-keys.ts';
import type { Candidate, Use } from './find-references.ts';
import { verifyHead } from './secret-record.ts';
import { openVersion } from './version-record.ts';

/** What each reference takes, or why it takes nothing. */
export type OpenedValues = ReadonlyMap<Reference, FieldResult>;

/**
 * Opens what references ask for; every row that took part in the choice is proven first. Each version is
 * opened once, and a JSON secret is parsed once, however many references name it.
 * @throws SecretsError `decryption_failed`, `unavailable`
 */
export async function openValues(
  { dataKeys }: { readonly dataKeys: DataKeys },
  org: OrganizationId,
  considered: readonly Candidate[],
  uses: ReadonlyMap<Reference, Use>,
): Promise<OpenedValues> {
  using keys = await dataKeys.forOpening(org, dataKeyNames(considered, uses.values()));
  for (const { stored, record } of considered) verifyHead(org, stored, keys.get(record.data_key));
  const opened = new Map<string, OpenedVersion>();
  const values = new Map<Reference, FieldResult>();
  for (const [reference, use] of uses) {
    const id = useKey(use);
    const version = opened.get(id) ?? new OpenedVersion(openText(org, use, keys), use);
    opened.set(id, version);
    const taken = version.take(reference.fields);
    const problem = 'value' in taken ? headerProblem(reference, taken.value) : null;
    values.set(reference, problem ?? taken);
  }
  return values;
}

/** Identifies a version among those of a config. */
export function useKey({ from, version }: Use): string {
  return `${coordinatesKey(from.stored.at)}#${version.version}`;
}

/** A version's value and, once asked for, its JSON. */
class OpenedVersion {
  readonly #text: string;
  readonly #use: Use;
  #json: FieldResult | undefined;

  constructor(text: string, use: Use) {
    this.#text = text;
    this.#use = use;
  }

  take(fields: readonly string[]): FieldResult {
    if (fields.length === 0) return { value: this.#text };
    this.#json ??= parseJsonSecret(this.#text, this.#use.version.encoding);
    return 'problem' in this.#json ? this.#json : takeField(this.#json.value, fields);
  }
}

function openText(org: OrganizationId, { from, version, sealed }: Use, keys: DataKeyLoans): string {
  const bytes = openVersion(org, from.stored.at, version, sealed, (id) => keys.get(id));
  const text = valueText(bytes, version.encoding);
  bytes.fill(0);
  return text;
}

/** Every data key that the heads and the versions need, once each. */
function dataKeyNames(considered: readonly Candidate[], uses: Iterable<Use>): DataKeyName[] {
  const names = new Map<string, DataKeyName>();
  const add = ({ stored, record }: Candidate, id: string | undefined) => {
    const { environment } = stored.at;
    const dedicated = record.isolation === 'dedicated';
    if (id !== undefined) names.set(`${environment ?? ''}/${id}`, { id, environment, dedicated });
  };
  for (const candidate of considered) add(candidate, candidate.record.data_key);
  for (const { from, version } of uses) {
    add(from, version.data_key);
    add(from, version.restores?.data_key);
  }
  return [...names.values()];
}

/** A line break in a header would end it and begin another one. */
function headerProblem(reference: Reference, value: unknown): ReferenceProblem | null {
  if (!breaksLine(value)) return null;
  if (!reference.slots.some(({ at }) => isUnderHeaders(at))) return null;
  const problem = 'the value has a line break or NUL, which a header cannot hold; store it without';
  return { code: 'line_break_in_header', problem };
}

/** Whether some text of a value, however deep in a JSON secret, has a character that ends a header. */
function breaksLine(value: unknown): boolean {
  if (typeof value === 'string') return /[\r\n\0]/.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, child]) => breaksLine(key) || breaksLine(child));
}
