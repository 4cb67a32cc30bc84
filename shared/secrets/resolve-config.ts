import type { Caller } from '../access/caller.ts';
import { type AuditedSecret, auditedSecret, eventOf } from '../audit/event.ts';
import { type ReferenceProblem, SecretsError } from '../contract/errors.ts';
import type { SecretName } from '../contract/ids.ts';
import { fillConfig, pathsOf, type Reference } from '../contract/references.ts';
import { limits, type ResolveRequest, type ResolveResponse } from '../contract/resolve.ts';
import type { DataKeys } from '../envelope/data-keys.ts';
import { type FindNeeds, type FoundReferences, findReferences, type Use } from './find-references.ts';
import { nearestNames } from './nearest-names.ts';
import { type OpenedValues, openValues, useKey } from './open-values.ts';
import { valueSize } from './version-record.ts';

export interface ResolveNeeds extends FindNeeds {
  readonly dataKeys: DataKeys;
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
  const uses = await allServed(needs, caller, found);
  refuseLargeAnswer(found, uses);
  const values = await openRecorded(needs, caller, found, uses);
  const budget = limits.answerBytes - found.configBytes;
  const lookUp = (reference: Reference) => {
    const taken = values.get(reference);
    return taken !== undefined && 'value' in taken ? taken.value : '';
  };
  if (!fillConfig(found.scanned, lookUp, budget)) throw answerTooLarge();
  const used = usedVersions(uses);
  const secrets = used.map(accessed);
  await needs.outbox.append(eventOf(needs, caller, { action: 'access', place: found.place, secrets }));
  return {
    config: found.scanned.root.config,
    secrets: used.map(answered),
  };
}

/** A version that a config takes, and the references that took it. */
interface UsedVersion {
  readonly use: Use;
  readonly references: Reference[];
}

/** Each version, once. */
function usedVersions(uses: ReadonlyMap<Reference, Use>): UsedVersion[] {
  const used = new Map<string, UsedVersion>();
  for (const [reference, use] of uses) {
    const key = useKey(use);
    const references = used.get(key)?.references ?? [];
    references.push(reference);
    used.set(key, { use, references });
  }
  return [...used.values()];
}

/** What the answer says of it; of bytes also which references stand in the config as base64. */
function answered({ use: { from, version }, references }: UsedVersion): ResolveResponse['secrets'][number] {
  const { name, scope, environment } = from.stored.at;
  const used = { name, version: version.version, scope, environment };
  if (version.encoding === 'utf8') return used;
  return { ...used, encoding: version.encoding, references: references.map(({ key }) => key) };
}

function accessed({ use, references }: UsedVersion): AuditedSecret {
  const places = references.reduce((sum, { slots }) => sum + slots.length, 0);
  return { ...auditedSecret(use.from.stored.at, use.version.version), places };
}

/** What serves each reference. @throws SecretsError `unresolved_references` when one is not served */
async function allServed(
  needs: ResolveNeeds,
  caller: Caller,
  found: FoundReferences,
): Promise<ReadonlyMap<Reference, Use>> {
  const uses = new Map<Reference, Use>();
  const failures: Failure[] = [];
  for (const [reference, finding] of found.findings) {
    if ('problem' in finding) failures.push({ reference, ...finding });
    else uses.set(reference, finding);
  }
  if (failures.length === 0) return uses;
  const missing = failures.map(({ reference }) => reference);
  const nearest = await nearestNames(needs, caller.org, found.place, missing);
  throw await failed(needs, caller, found, failures, nearest);
}

/** Refuses before any key is used: 400,000 references to 64 KiB must not be built in order to be refused. */
function refuseLargeAnswer(
  { scanned, configBytes }: FoundReferences,
  uses: ReadonlyMap<Reference, Use>,
): void {
  let bytes = configBytes;
  for (const { parts } of scanned.slots) {
    for (const part of parts) {
      const use = typeof part === 'string' || part.fields.length > 0 ? undefined : uses.get(part);
      if (use !== undefined) bytes += valueSize(use.version, use.sealed);
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

/** Opens the values; what cannot be opened or taken is recorded as an access that failed. */
async function openRecorded(
  needs: ResolveNeeds,
  caller: Caller,
  found: FoundReferences,
  uses: ReadonlyMap<Reference, Use>,
): Promise<OpenedValues> {
  let values: OpenedValues;
  try {
    values = await openValues(needs, caller.org, found.considered, uses);
  } catch (error) {
    if (!(error instanceof SecretsError) || error.code !== 'decryption_failed') throw error;
    const problem = 'decryption failed';
    await recordFailed(
      needs,
      caller,
      found,
      [...uses.keys()].map(({ name }) => ({ name, problem })),
    );
    throw error;
  }
  const failures: Failure[] = [];
  for (const [reference, taken] of values) {
    if ('problem' in taken) failures.push({ reference, ...taken });
  }
  if (failures.length > 0) throw await failed(needs, caller, found, failures);
  return values;
}

/** A reference that cannot be filled, and why. */
interface Failure extends ReferenceProblem {
  readonly reference: Reference;
}

const MAX_ERRORS = 1000;

/** Records an access that failed, and makes the one error that lists every failing reference. */
async function failed(
  needs: ResolveNeeds,
  caller: Caller,
  found: FoundReferences,
  failures: readonly Failure[],
  nearest: ReadonlyMap<SecretName, SecretName> = new Map(),
): Promise<SecretsError> {
  const secrets = failures.map(({ reference, problem }) => ({ name: reference.name, problem }));
  await recordFailed(needs, caller, found, secrets);
  const references = failures.map(({ reference: { key, name, slots }, code, problem }) => {
    return {
      name,
      reference: key,
      paths: pathsOf({ slots }),
      code,
      problem,
      nearest: nearest.get(name) ?? null,
    };
  });
  const errors = references.flatMap(({ reference, paths, problem, nearest: near }) => {
    const hint = near === null ? '' : `; did you mean ${near}?`;
    return paths.map((path) => ({ path, message: `{{secrets.${reference}}}: ${problem}${hint}` }));
  });
  const count = failures.length === 1 ? '1 reference' : `${failures.length} references`;
  return new SecretsError('unresolved_references', `${count} cannot be resolved. Nothing was returned.`, {
    errors: errors.slice(0, MAX_ERRORS),
    members: { references },
  });
}

async function recordFailed(
  needs: ResolveNeeds,
  caller: Caller,
  { place }: FoundReferences,
  secrets: readonly AuditedSecret[],
): Promise<void> {
  await needs.outbox.append(eventOf(needs, caller, { action: 'access', outcome: 'failed', place, secrets }));
}
