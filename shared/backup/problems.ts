import { SecretsError } from '../contract/errors.ts';
import type { ArchiveRow } from './archive.ts';

/** Why a row is not what it should be, in words. */
export function reasonOf(error: unknown): string {
  if (error instanceof SecretsError) return error.code;
  return error instanceof Error ? error.message : 'is not readable';
}

/** What a row is, without anything that could be a value. */
export function nameOf(row: ArchiveRow): string {
  switch (row.kind) {
    case 'data_key':
      return `${row.org}: data key ${row.id}`;
    case 'secret':
      return `${row.org}: secret ${row.key}`;
    case 'version':
      return `${row.org}: secret ${row.key} version ${row.version}`;
    case 'api_key':
      return `${row.record.org}: API key ${row.record.id}`;
    case 'checkpoint':
    case 'expired':
    case 'audit_record':
      return `${row.org}: audit log`;
    case 'audit_event':
    case 'reminder':
    case 'run':
    case 'organization':
      return row.kind;
  }
}
