import type { Caller } from '../access/caller.ts';
import { emptyChain, recordHash } from './chain.ts';
import { type DemandNeeds, demand } from './demand.ts';
import type { AuditLog } from './log.ts';

interface Verification {
  readonly verified: boolean;
  readonly events: number;
  readonly checkpoints: number;
  readonly first_bad?: { readonly sequence: number; readonly reason: string };
}

const BATCH = 1000;

/** Reads the whole chain of the caller's organization and checks every link; names the first bad record. */
export async function verifyAudit(
  needs: DemandNeeds & { auditLog: AuditLog },
  caller: Caller,
): Promise<Verification> {
  await demand(needs, caller, 'read_audit');
  const head = await needs.auditLog.head(caller.org);
  let last = emptyChain(caller.org);
  while (last.sequence < head.sequence) {
    const records = await needs.auditLog.read(caller.org, last.sequence + 1, BATCH);
    if (records.length === 0) return bad(last.sequence + 1, 'is missing');
    for (const record of records) {
      const problem = brokenLink(record, last);
      if (problem !== null) return bad(last.sequence + 1, problem);
      last = { sequence: record.sequence, hash: record.hash };
      if (last.sequence === head.sequence) break;
    }
  }
  if (last.hash !== head.hash) return bad(last.sequence, 'does not end the chain that the head names');
  return { verified: true, events: last.sequence, checkpoints: 0 };
}

function brokenLink(
  record: { sequence: number; hash: string; bytes: Uint8Array },
  last: { sequence: number; hash: string },
): string | null {
  if (record.sequence !== last.sequence + 1) return 'is missing';
  if (recordHash(record.bytes) !== record.hash) return 'was changed';
  const said = linkOf(record.bytes);
  if (said?.sequence !== record.sequence || said.previous !== last.hash)
    return 'does not follow the record before it';
  return null;
}

function linkOf(bytes: Uint8Array): { sequence?: unknown; previous?: unknown } | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
}

function bad(sequence: number, reason: string): Verification {
  return { verified: false, events: sequence - 1, checkpoints: 0, first_bad: { sequence, reason } };
}
