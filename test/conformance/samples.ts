import type { ApiKeyRecord } from '../../shared/access/api-key.ts';
import type { Replay } from '../../shared/access/replay.ts';
import type { RunRecord } from '../../shared/access/run-token.ts';
import type { AuditEvent } from '../../shared/audit/event.ts';
import type { Trail } from '../../shared/audit/outbox.ts';
import { type Coordinates, coordinatesFromKey } from '../../shared/contract/coordinates.ts';
import {
  apiKeyId,
  environmentName,
  organizationId,
  pipelineId,
  runId,
  secretName,
} from '../../shared/contract/ids.ts';
import type { SecretChange, StoredSecret, StoredVersion } from '../../shared/secrets/secret-store.ts';

export const acme = organizationId.parse('acme');
/** A name that begins like the other's: where a separator is missing, one sees the other's rows. */
export const acmeTwo = organizationId.parse('acme-2');
export const NOW = '2026-11-24T12:00:00.000Z';
export const nameOf = (name: string) => secretName.parse(name);

/** A moment, so many seconds after {@link NOW}. */
export function at(seconds: number): string {
  return new Date(Date.parse(NOW) + seconds * 1000).toISOString();
}

/** Coordinates by their key, `name#scope#environment#owner`; a bare name is the organization's for every environment. */
export function place(key: string): Coordinates {
  return coordinatesFromKey(key.includes('#') ? key : `${key}#org##`);
}

let ids = 0;

/** An event with an id that no other has. */
export function eventOf(more: Partial<AuditEvent> = {}): AuditEvent {
  ids += 1;
  return {
    id: `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`,
    org: acme,
    timestamp: NOW,
    action: 'create',
    outcome: 'success',
    secrets: [],
    ...more,
  };
}

export function trailOf(event: Partial<AuditEvent> = {}, replay: Replay | null = null): Trail {
  return { event: eventOf(event), replay };
}

export function replayOf(key: string, more: Partial<Replay> = {}): Replay {
  const fingerprint = `fingerprint of ${key}`;
  return { caller: 'acme/key/k1', key, fingerprint, status: 201, answer: '{}', expires_at: at(60), ...more };
}

/** A head of a revision, with content that tells which it is. */
export function headOf(
  key: string,
  revision: number,
  more: Partial<StoredSecret> = {},
): SecretChange['secret'] {
  return {
    at: place(key),
    revision,
    record: Buffer.from(`record ${key} ${revision}`),
    mac: Buffer.from(`mac ${revision}`),
    sealed: Buffer.from(`sealed ${key} ${revision}`),
    next_rotation_at: null,
    deleted_at: null,
    purge_at: null,
    ...more,
  };
}

function versionOf(version: number, sealed = `sealed ${version}`): StoredVersion {
  return { version, record: Buffer.from(`version ${version}`), sealed: Buffer.from(sealed) };
}

/** A change to a revision, from the one before, that adds a version of the same number. */
export function changeOf(key: string, revision: number, more: Partial<SecretChange> = {}): SecretChange {
  return {
    org: acme,
    secret: headOf(key, revision),
    added: versionOf(revision),
    expected_revision: revision - 1,
    trail: trailOf(),
    ...more,
  };
}

export function apiKeyOf(number: number, more: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: apiKeyId.parse(`K${String(number).padStart(15, '0')}`),
    org: acme,
    name: `key ${number}`,
    role: 'runtime',
    subject: null,
    pipelines: [pipelineId.parse('p1')],
    environments: null,
    created_at: at(number),
    created_by: 'ada',
    expires_at: null,
    key_hash: `hash ${number}`,
    signature: `signature ${number}`,
    ...more,
  };
}

export function runOf(id: string, more: Partial<RunRecord> = {}): RunRecord {
  return {
    org: acme,
    run_id: runId.parse(id),
    pipeline_id: pipelineId.parse('p1'),
    environment: environmentName.parse('production'),
    user: null,
    key_id: apiKeyId.parse('K000000000000001'),
    token_id: `token of ${id}`,
    started_at: NOW,
    expires_at: at(3600),
    ended_at: null,
    ...more,
  };
}

/** Of rows that may come in any order: their names, sorted, each once. */
export function namesOf(rows: readonly { readonly at: Coordinates }[]): string[] {
  return [...new Set(rows.map((row) => row.at.name))].sort();
}

/** The ids of waiting events, sorted. */
export function idsOf(texts: readonly string[]): string[] {
  return texts.map((text) => (JSON.parse(text) as AuditEvent).id).sort();
}
