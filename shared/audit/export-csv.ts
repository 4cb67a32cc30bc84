import type { AuditRecord } from './chain.ts';
import { entriesOf } from './entries.ts';

const COLUMNS = [
  'sequence',
  'timestamp',
  'action',
  'outcome',
  'secret_name',
  'scope',
  'environment',
  'version',
  'pipeline_id',
  'run_id',
  'run_environment',
  'user',
  'api_key_id',
  'ip_address',
  'attempted',
  'reason',
  'request_id',
] as const;

export const CSV_HEADER: string = COLUMNS.join();

/** A record as lines of RFC 4180: one for each secret that it touched. */
export function csvLines(record: AuditRecord): string[] {
  return entriesOf(record).map((entry) => COLUMNS.map((column) => cell(entry[column])).join());
}

function cell(value: string | number | null | undefined): string {
  if (value === undefined || value === null) return '';
  // A spreadsheet takes what begins so for a formula, and runs it: an apostrophe makes it text.
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
