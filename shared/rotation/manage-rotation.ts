import type * as z from 'zod';
import type { Caller } from '../access/caller.ts';
import { invalid, SecretsError } from '../contract/errors.ts';
import type { Rotation, rotationRequest, rotatorAnswer, setRotatorRequest } from '../contract/rotators.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import { NotPublic, parsePublicUrl } from '../http/post-public.ts';
import { commitChange, untilSaved, type WriteNeeds } from '../secrets/change-secret.ts';
import { type Located, locate } from '../secrets/locate.ts';
import { readRecord } from '../secrets/secret-record.ts';
import { demandMove } from '../secrets/stages.ts';
import { sameVersionOf } from '../secrets/update-secret.ts';
import { signingKeyOf } from './hook-key.ts';

/**
 * Says what rotates a secret by itself, or that nothing does. For admins: a rotator reaches into a database or out to
 * a URL with rights that an editor does not have.
 * @throws SecretsError `validation`, `forbidden`, `not_found`, `ambiguous_secret`, `unavailable`
 */
export async function setRotator(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof setRotatorRequest>,
): Promise<z.infer<typeof rotatorAnswer>> {
  const { rotator } = request;
  if (rotator?.kind === 'https') refusePrivate(rotator.url);
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'manage_rotator', request);
    const reason = rotator === null ? 'No rotator' : `Rotator ${rotator.kind}`;
    const change = sameVersionOf(before, { action: 'set_rotator', reason }, 200);
    const saved = await commitChange(needs, caller, { ...change, record: { ...change.record, rotator } });
    if (saved === null) return null;
    const isHook = rotator?.kind === 'https';
    return {
      rotator,
      signing_key: isHook ? await signingKeyOf(needs, caller, before.at, rotator.url) : null,
    };
  });
}

function refusePrivate(url: string): void {
  try {
    parsePublicUrl(url);
  } catch (error) {
    throw invalid('rotator.url', error instanceof NotPublic ? error.message : 'must be an https URL');
  }
}

/**
 * Starts a rotation now, goes on with one that failed or abandons it. The steps are carried out by the schedule
 * `tend-secrets`, within a minute; the metadata says how far they came.
 * @throws SecretsError `forbidden`, `not_found`, `ambiguous_secret`, `stage_conflict`, `unavailable`
 */
export async function requestRotation(
  needs: WriteNeeds,
  caller: Caller,
  request: Located & z.infer<typeof rotationRequest>,
): Promise<SecretMetadata> {
  return untilSaved(async () => {
    const before = await locate(needs, caller, 'rotate', request);
    const record = readRecord(before);
    const { rotation, pending } = record;
    const reason = `Rotation: ${request.action}${request.dry_run ? ', dry run' : ''}`;
    const change = sameVersionOf(before, { action: 'rotation', reason }, 200);
    switch (request.action) {
      case 'start': {
        if (record.rotator === null) throw conflict('it has no rotator. Set one first');
        if (rotation !== null && rotation.state !== 'done')
          throw conflict(`its rotation is ${rotation.state} at ${rotation.step}. Resume or abandon it first`);
        if (!request.dry_run) demandMove('stage', record);
        const started = startedRotation(needs, request.dry_run);
        return commitChange(needs, caller, { ...change, record: { ...change.record, rotation: started } });
      }
      case 'resume': {
        if (rotation?.state !== 'failed') throw conflict('no rotation of it has failed');
        const again = { ...rotation, state: 'running' as const, error: null, tried_at: null };
        return commitChange(needs, caller, { ...change, record: { ...change.record, rotation: again } });
      }
      case 'abandon': {
        if (rotation === null || rotation.state === 'done') throw conflict('no rotation of it goes on');
        const dropped = pending !== null && rotation.step !== 'create';
        const abandoned = dropped ? [...change.record.abandoned, pending.version] : change.record.abandoned;
        const after = { ...change.record, rotation: null, abandoned, ...(dropped ? { pending: null } : {}) };
        return commitChange(needs, caller, { ...change, record: after });
      }
    }
  });
}

/** A rotation that begins now. */
export function startedRotation(
  { now, newId }: Pick<WriteNeeds, 'now' | 'newId'>,
  dry_run: boolean,
): Rotation {
  const at = { started_at: now().toISOString(), tried_at: null };
  return { id: newId(), step: 'create', state: 'running', dry_run, error: null, ...at };
}

function conflict(why: string): SecretsError {
  return new SecretsError('stage_conflict', `The secret cannot do that now: ${why}.`);
}
