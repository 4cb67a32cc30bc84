import type { Caller } from '../access/caller.ts';
import { type Coordinates, describeCoordinates } from '../contract/coordinates.ts';
import type { Rotation, RotatorConfig } from '../contract/rotators.ts';
import type { SecretMetadata } from '../contract/secrets.ts';
import { valueText } from '../contract/value.ts';
import { fingerprint } from '../envelope/fingerprint.ts';
import type { Network } from '../http/post-public.ts';
import { type Change, commitChange, type WriteNeeds } from '../secrets/change-secret.ts';
import { stagedVersionOf } from '../secrets/rotate-secret.ts';
import { readRecord, type SecretRecord } from '../secrets/secret-record.ts';
import type { StoredSecret } from '../secrets/secret-store.ts';
import { keptPrevious } from '../secrets/stages.ts';
import { sameVersionOf } from '../secrets/update-secret.ts';
import { provenVersion } from '../secrets/version-proof.ts';
import { openVersion, readVersion, type VersionRecord } from '../secrets/version-record.ts';
import { signingKeyOf } from './hook-key.ts';
import { httpsRotator } from './https-rotator.ts';
import { postgresRotator } from './postgres-rotator.ts';
import { type Rotator, StepFailed, type Turn, tokenRotator } from './rotator.ts';

type Saved = SecretMetadata | null;

/** What rotators work with; tests put another network here, which settings cannot. */
export type RotateNeeds = WriteNeeds & { readonly network?: Network };

/**
 * Carries out the next step of a running rotation, and saves what it came to in one transaction with the labels that
 * it moves. A step that was cut off is carried out again.
 * @returns null when the secret was changed since it was read
 */
export async function advanceRotation(
  needs: RotateNeeds,
  caller: Caller,
  before: StoredSecret,
  running: Rotation,
): Promise<Saved> {
  const record = readRecord(before);
  const { rotator: config } = record;
  if (config === null)
    return save(needs, caller, before, failed(running, 'there is no rotator any more', needs));
  const rotator = rotatorOf(needs, caller, before.at, config);
  const turn: Turn = {
    rotation_id: running.id,
    dry_run: running.dry_run,
    secret: { name: before.at.name, ...describeCoordinates(before.at) },
    version: record.pending?.version ?? null,
  };
  try {
    return await takeStep(needs, caller, before, record, running, config, rotator, turn);
  } catch (error) {
    const why = error instanceof StepFailed ? error.message : 'it could not be carried out';
    return save(needs, caller, before, failed(running, why, needs));
  }
}

async function takeStep(
  needs: WriteNeeds,
  caller: Caller,
  before: StoredSecret,
  record: SecretRecord,
  running: Rotation,
  config: RotatorConfig,
  rotator: Rotator,
  turn: Turn,
): Promise<Saved> {
  const at = (step: Rotation['step']) => next(running, step, needs);
  switch (running.step) {
    case 'create': {
      const current = await open(needs, caller, before, record.current, before.sealed);
      const value = await rotator.create(turn, current);
      if (running.dry_run) {
        await rotator.test(turn, value);
        return save(needs, caller, before, { ...at('finish'), state: 'done' });
      }
      return stage(needs, caller, before, value, at('test'), config.keep_previous_for);
    }
    case 'test': {
      const { version, sealed } = await pendingOf(needs, caller, before, record);
      await rotator.test(turn, await open(needs, caller, before, version, sealed));
      return save(needs, caller, before, at('activate'));
    }
    case 'activate':
      return activate(needs, caller, before, record, at('finish'));
    case 'finish': {
      const { previous } = record;
      if (previous === null) return save(needs, caller, before, { ...at('finish'), state: 'done' });
      const [row] = await needs.secrets.findVersions(caller.org, [
        { at: before.at, version: previous.version },
      ]);
      if (row === undefined) throw new StepFailed('the previous version is gone');
      await rotator.finish(turn, await open(needs, caller, before, readVersion(row), row.sealed));
      const change = sameVersionOf(before, { action: 'retire', reason: 'The overlap is over' }, 200);
      const done = { ...at('finish'), state: 'done' as const };
      const after = { ...change.record, previous: null, rotation: done };
      return commitChange(needs, caller, { ...change, record: after, touched: [previous.version] });
    }
  }
}

/** A rotation at a step, tried now. */
function next(running: Rotation, step: Rotation['step'], { now }: Pick<WriteNeeds, 'now'>): Rotation {
  return { ...running, step, state: 'running', error: null, tried_at: now().toISOString() };
}

function failed(running: Rotation, why: string, { now }: Pick<WriteNeeds, 'now'>): Rotation {
  return { ...running, state: 'failed', error: `${running.step}: ${why}`, tried_at: now().toISOString() };
}

/** Saves where a rotation stands, and a failure as one. */
async function save(
  needs: WriteNeeds,
  caller: Caller,
  before: StoredSecret,
  rotation: Rotation,
): Promise<Saved> {
  const isFailed = rotation.state === 'failed';
  const reason = rotation.error ?? `Rotation goes on: ${rotation.step}`;
  const happening = {
    action: 'rotation',
    reason,
    ...(isFailed ? { outcome: 'failed' as const } : {}),
  } as const;
  const change = sameVersionOf(before, happening, 200);
  return commitChange(needs, caller, { ...change, record: { ...change.record, rotation } });
}

async function stage(
  needs: WriteNeeds,
  caller: Caller,
  before: StoredSecret,
  text: string,
  rotation: Rotation,
  keep: string,
): Promise<Saved> {
  const value = Buffer.from(text);
  try {
    const print = await fingerprint(needs.keyService, caller.org, value, 'utf8');
    const added = {
      encoding: 'utf8' as const,
      fingerprint: print,
      reason: 'Rotation by schedule',
      content: { value },
    };
    const change: Change = stagedVersionOf(needs.now(), caller, before, added, keep);
    return await commitChange(needs, caller, { ...change, record: { ...change.record, rotation } });
  } finally {
    value.fill(0);
  }
}

async function activate(
  needs: WriteNeeds,
  caller: Caller,
  before: StoredSecret,
  record: SecretRecord,
  rotation: Rotation,
): Promise<Saved> {
  const { version: current, sealed } = await pendingOf(needs, caller, before, record);
  const now = needs.now();
  const change = sameVersionOf(before, { action: 'activate', reason: 'The rotator tested it' }, 200);
  const previous = keptPrevious(now, record.current.version, record.pending?.keep_previous_for);
  const stamp = { last_rotated: now.toISOString(), last_rotated_by: 'schedule' };
  return commitChange(needs, caller, {
    ...change,
    record: { ...change.record, ...stamp, previous, pending: null, rotation },
    current,
    promoted: sealed,
  });
}

async function pendingOf(
  needs: WriteNeeds,
  { org }: Caller,
  { at }: StoredSecret,
  { pending }: SecretRecord,
): Promise<{ version: VersionRecord; sealed: Buffer }> {
  if (pending === null) throw new StepFailed('nothing is pending any more');
  const [row] = await needs.secrets.findVersions(org, [{ at, version: pending.version }]);
  if (row === undefined) throw new StepFailed('the pending version is gone');
  return { version: await provenVersion(needs.keyService, org, at, row), sealed: row.sealed };
}

async function open(
  { dataKeys }: WriteNeeds,
  { org }: Caller,
  stored: StoredSecret,
  version: VersionRecord,
  sealed: Buffer,
): Promise<string> {
  const { environment } = stored.at;
  const dedicated = readRecord(stored).isolation === 'dedicated';
  const ids = [version.data_key, ...(version.restores === null ? [] : [version.restores.data_key])];
  using keys = await dataKeys.forOpening(
    org,
    [...new Set(ids)].map((id) => ({ id, environment, dedicated })),
  );
  const bytes = openVersion(org, stored.at, version, sealed, (id) => keys.get(id));
  const text = valueText(bytes, version.encoding);
  bytes.fill(0);
  return text;
}

function rotatorOf(needs: RotateNeeds, caller: Caller, at: Coordinates, config: RotatorConfig): Rotator {
  switch (config.kind) {
    case 'token':
      return tokenRotator(config);
    case 'https':
      return httpsRotator(config, () => signingKeyOf(needs, caller, at, config.url), needs);
    case 'postgres':
      return postgresRotator(config, async () => {
        const places = [at.environment, null].map(
          (environment) => ({ scope: 'org', name: config.admin_secret, environment }) as const,
        );
        const found = await needs.secrets.findMany(
          caller.org,
          at.environment === null ? places.slice(1) : places,
        );
        const live = found.filter(({ deleted_at }) => deleted_at === null);
        const admin = live.find((row) => row.at.environment !== null) ?? live[0];
        if (admin === undefined) throw new StepFailed('the admin secret is not there');
        return open(needs, caller, admin, readRecord(admin).current, admin.sealed);
      });
  }
}
