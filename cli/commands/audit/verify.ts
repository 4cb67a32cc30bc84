import { createPublicKey, type KeyObject } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import * as routes from '../../../functions/routes.ts';
import { type Checkpoint, openNote } from '../../../shared/audit/checkpoint.ts';
import { type ExportVerification, ExportVerifier, linesOf } from '../../../shared/audit/verify-export.ts';
import { exitCodes, type Failure, localFailure, usageFailure } from '../../failure.ts';
import type { Terminal } from '../../terminal.ts';
import { common, type Host, toolsOf } from '../../tools.ts';

const PROGRESS_EVERY = 100_000;

interface BadRecord {
  readonly sequence: number;
  readonly reason: string;
}

interface OfflineOptions {
  readonly offline: string;
  readonly publicKey: string | undefined;
  readonly checkpoint: string | undefined;
}

/** `fm secrets audit verify` */
export function addVerify(audit: ReturnType<typeof common>, host: Host): void {
  common(audit.command('verify'))
    .description('check that nothing in the log was changed, removed or put in')
    .option(
      '--from <checkpoint>',
      'only what came after a checkpoint: its size, or a file with the one that you kept',
    )
    .option('--offline <file>', 'check an export instead of asking a server; - for standard input')
    .option('--public-key <file>', 'with --offline: the log’s public key, PEM')
    .option(
      '--checkpoint <file>',
      'with --offline: a checkpoint that you kept; the log must hold all that it covers',
    )
    .action(async (_options, command) => {
      // `--json` may stand before or after `verify`: both commands take it.
      const options = command.optsWithGlobals();
      const { offline, publicKey, checkpoint } = options;
      if (offline !== undefined)
        return verifyOffline(host, { offline, publicKey, checkpoint }, options.json === true);
      if (publicKey !== undefined || checkpoint !== undefined)
        throw usageFailure('--public-key and --checkpoint go with --offline.');
      await verifyOnline(host, options);
    });
}

async function verifyOnline(
  host: Host,
  options: Parameters<typeof toolsOf>[1] & { readonly from?: string | undefined },
): Promise<void> {
  const { api, terminal, json } = toolsOf(host, options);
  let part = await api.call(routes.verifyAudit, beginningOf(options.from));
  let { events, checkpoints } = part;
  // A long log takes several answers; each begins at a checkpoint that the server's key signed.
  while (part.verified && part.continue_from !== undefined) {
    terminal.progress(`${events} records checked`);
    part = await api.call(routes.verifyAudit, { from: part.continue_from });
    events += part.events;
    checkpoints += part.checkpoints;
  }
  const { continue_from: _next, ...last } = part;
  if (json) terminal.printJson({ ...last, events, checkpoints });
  if (!part.verified) throw brokenChain(part.first_bad ?? part.stale?.[0]);
  if (json) return;
  const gone = part.expired === undefined ? '' : `, ${part.expired} expired`;
  terminal.print(`The log is whole: ${events} records${gone}, ${checkpoints} signed checkpoints.`);
}

/** A size, or a file with a checkpoint that was kept, whose root the log must have had. */
function beginningOf(from: string | undefined): { from?: number; root?: string } {
  if (from === undefined) return {};
  if (/^\d{1,15}$/.test(from)) return { from: Number(from) };
  const [origin = '', size = '', root] = readText(from).split('\n');
  if (!origin.startsWith('flowmason-secrets/') || root === undefined)
    throw usageFailure('--from takes the size of a checkpoint, or a file with one.');
  return { from: Number(size), root };
}

async function verifyOffline({ terminal }: Host, options: OfflineOptions, json: boolean): Promise<void> {
  if (options.publicKey === undefined)
    throw usageFailure('--offline needs --public-key: the log’s key, from a place that you trust.', [
      'It was printed by: fm secrets audit key',
    ]);
  const key = readKey(options.publicKey);
  const kept = options.checkpoint === undefined ? null : readCheckpoint(options.checkpoint, key);
  const result = await readExport(terminal, options.offline, new ExportVerifier(key, kept));
  if (json) terminal.printJson(result);
  if (!result.verified) throw brokenChain(result.first_bad);
  if (!json) for (const line of wholeLines(result)) terminal.print(line);
}

async function readExport(
  terminal: Terminal,
  file: string,
  verifier: ExportVerifier,
): Promise<ExportVerification> {
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 });
  let shown = 0;
  try {
    for await (const line of linesOf(source)) {
      if (!verifier.add(line)) break;
      if (verifier.events < shown + PROGRESS_EVERY) continue;
      shown = verifier.events;
      terminal.progress(`${shown} records checked`);
    }
  } catch {
    throw unreadable(file);
  }
  return verifier.end();
}

function wholeLines({ events, before, checkpoints, signed }: ExportVerification): string[] {
  const begins = before === 0 ? '' : ` from record ${before + 1} on`;
  const unsigned = before + events - (signed?.size ?? 0);
  return [
    `The export is whole: ${events} records${begins}, ${checkpoints} signed checkpoints.`,
    signed === null
      ? 'No checkpoint is in it: only that its records follow one another is known, not who wrote them.'
      : `A signature of ${signed.time} covers them up to record ${signed.size}; ${unsigned} are newer than it.`,
  ];
}

function readKey(file: string): KeyObject {
  const pem = readText(file);
  try {
    return createPublicKey(pem);
  } catch {
    throw usageFailure('--public-key takes a file with a public key in PEM.');
  }
}

function readCheckpoint(file: string, key: KeyObject): Checkpoint {
  const checkpoint = openNote(readText(file), key);
  if (checkpoint === null)
    throw usageFailure('--checkpoint takes a signed note of this log; this key did not sign it.');
  return checkpoint;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw unreadable(file);
  }
}

function unreadable(file: string): Failure {
  return localFailure('unreadable', 'A file cannot be read', file);
}

function brokenChain(bad: BadRecord | undefined): Failure {
  const detail = bad === undefined ? 'It does not verify.' : `Record ${bad.sequence} ${bad.reason}.`;
  return localFailure('broken-chain', 'The audit log is not what it was', detail, {
    exitCode: exitCodes.failed,
  });
}
