import type { Caller } from '../access/caller.ts';
import { type AuditedSecret, auditedSecret, eventOf } from '../audit/event.ts';
import { SecretsError } from '../contract/errors.ts';
import type { SecretName } from '../contract/ids.ts';
import { jsonField } from '../contract/json-field.ts';
import { fillConfig, isUnderHeaders, pathsOf, type Reference } from '../contract/references.ts';
import { limits, type ResolveRequest, type ResolveResponse } from '../contract/resolve.ts';
import { valueText } from '../contract/value.ts';
import type { DataKeyLoans } from '../envelope/data-key-loan.ts';
import type { DataKeyName, DataKeys } from '../envelope/data-keys.ts';
import {
  type Candidate,
  type FindNeeds,
  type FoundReferences,
  findReferences,
  nearestNames,
} from './find-references.ts';
import { openVersion, valueSize, verifyHead } from './secret-record.ts';

export interface ResolveNeeds extends FindNeeds {
  readonly dataKeys: DataKeys;
}

/** A reference that cannot be filled, and what to do about it. */
interface Failure {
  readonly reference: Reference;
  readonly problem: string;
  readonly nearest?: SecretName | undefined;
}

/**
 * Replaces every reference of a config by its value, in place, or none at all. The access record is durable
 * before this returns: when it cannot be written, no value leaves.
 * @throws SecretsError `forbidden`; the limits by their names; `unresolved_references` with every failing one;
 *   `decryption_failed`; `unavailable`
 */
export async function resolveConfig(
  needs: ResolveNeeds,
  caller: Caller,
  request: ResolveRequest,
): Promise<ResolveResponse> {
  const found = await findReferences(needs, caller, 'resolve', request);
  const missing = [...found.scanned.references.values()].filter(({ name }) => !found.chosen.has(name));
  if (missing.length > 0)
    throw await failed(needs, caller, found, await describeMissing(needs, caller, found, missing));
  refuseLargeAnswer(found);
  const values = await openValues(needs, caller, found);
  if ('failures' in values) throw await failed(needs, caller, found, values.failures);
  const budget = limits.answerBytes - found.configBytes;
  const lookUp = (reference: Reference) => values.values.get(reference);
  if (!fillConfig(found.scanned, lookUp, budget)) throw answerTooLarge();
  const secrets = [...found.chosen.values()];
  await needs.outbox.append(
    eventOf(needs, caller, {
      action: 'access',
      place: found.place,
      secrets: secrets.map((used) => accessed(found, used)),
    }),
  );
  return {
    config: found.scanned.root.config,
    secrets: secrets.map(({ stored: { at }, record }) => ({
      name: at.name,
      version: record.current.version,
      scope: at.scope,
      environment: at.environment,
    })),
  };
}

/** Refuses before any key is used: 400,000 references to 64 KiB must not be built in order to be refused. */
function refuseLargeAnswer({ scanned, chosen, configBytes }: FoundReferences): void {
  let bytes = configBytes;
  for (const { parts } of scanned.slots) {
    for (const part of parts) {
      const used = typeof part === 'string' || part.fields.length > 0 ? undefined : chosen.get(part.name);
      if (used !== undefined) bytes += valueSize(used.record.current, used.stored.sealed);
    }
    if (bytes > limits.answerBytes) throw answerTooLarge();
  }
}

function answerTooLarge(): SecretsError {
  return new SecretsError(
    'answer_too_large',
    `A resolved config may have ${limits.answerBytes} bytes. Resolve its parts.`,
  );
}

/** Opens what the config asks for; every row that took part in the choice is proven first. */
async function openValues(
  needs: ResolveNeeds,
  { org }: Caller,
  { scanned, chosen, considered }: FoundReferences,
): Promise<{ values: ReadonlyMap<Reference, unknown> } | { failures: Failure[] }> {
  using keys = await needs.dataKeys.forOpening(org, dataKeyNames(considered));
  for (const { stored, record } of considered) verifyHead(org, stored, keys.get(record.data_key));
  const texts = new Map<SecretName, string>();
  for (const [name, used] of chosen) texts.set(name, openText(org, used, keys));
  const values = new Map<Reference, unknown>();
  const failures: Failure[] = [];
  for (const reference of scanned.references.values()) {
    const used = chosen.get(reference.name);
    const text = texts.get(reference.name);
    if (used === undefined || text === undefined) continue;
    const taken =
      reference.fields.length === 0
        ? { value: text }
        : jsonField(text, used.record.current.encoding, reference.fields);
    const problem = 'problem' in taken ? taken.problem : headerProblem(reference, taken.value);
    if (problem !== null) failures.push({ reference, problem });
    else values.set(reference, 'value' in taken ? taken.value : undefined);
  }
  return failures.length > 0 ? { failures } : { values };
}

function openText(org: Caller['org'], { stored, record }: Candidate, keys: DataKeyLoans): string {
  const bytes = openVersion(org, stored.at, record.current, stored.sealed, (id) => keys.get(id));
  const text = valueText(bytes, record.current.encoding);
  bytes.fill(0);
  return text;
}

/** Every data key that the rows need, once each. */
function dataKeyNames(rows: readonly Candidate[]): DataKeyName[] {
  const names = new Map<string, DataKeyName>();
  for (const { stored, record } of rows) {
    const { environment } = stored.at;
    const dedicated = record.isolation === 'dedicated';
    const { current } = record;
    for (const id of [record.data_key, current.data_key, current.restores?.data_key]) {
      if (id !== undefined) names.set(`${environment ?? ''}/${id}`, { id, environment, dedicated });
    }
  }
  return [...names.values()];
}

/** A line break in a header would end it and begin another one. */
function headerProblem(reference: Reference, value: unknown): string | null {
  if (typeof value !== 'string' || !/[\r\n\0]/.test(value)) return null;
  if (!reference.slots.some(({ at }) => isUnderHeaders(at))) return null;
  return 'the value has a line break or NUL, which a header cannot hold; store it without';
}

async function describeMissing(
  needs: ResolveNeeds,
  caller: Caller,
  { place }: FoundReferences,
  missing: readonly Reference[],
): Promise<Failure[]> {
  const nearest = await nearestNames(needs, caller.org, place, missing);
  return missing.map((reference) => ({
    reference,
    problem: `no secret of this name serves ${place.environment} here`,
    nearest: nearest.get(reference.name),
  }));
}

const MAX_ERRORS = 1000;

/** Records an access that failed, and makes the one error that lists every failing reference. */
async function failed(
  needs: ResolveNeeds,
  caller: Caller,
  { place }: FoundReferences,
  failures: readonly Failure[],
): Promise<SecretsError> {
  const secrets = failures.map(({ reference, problem }) => ({ name: reference.name, problem }));
  await needs.outbox.append(eventOf(needs, caller, { action: 'access', outcome: 'failed', place, secrets }));
  const errors = failures.flatMap(({ reference, problem, nearest }) => {
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return pathsOf(reference).map((path) => ({
      path,
      message: `{{secrets.${reference.key}}}: ${problem}${hint}`,
    }));
  });
  const references = failures.map(({ reference, problem, nearest }) => ({
    name: reference.name,
    reference: reference.key,
    paths: pathsOf(reference),
    problem,
    nearest: nearest ?? null,
  }));
  const count = failures.length === 1 ? '1 reference' : `${failures.length} references`;
  return new SecretsError('unresolved_references', `${count} cannot be resolved. Nothing was returned.`, {
    errors: errors.slice(0, MAX_ERRORS),
    members: { references },
  });
}

function accessed({ scanned }: FoundReferences, { stored, record }: Candidate): AuditedSecret {
  let places = 0;
  for (const { name, slots } of scanned.references.values())
    if (name === stored.at.name) places += slots.length;
  return { ...auditedSecret(stored.at, record.current.version), places };
}
