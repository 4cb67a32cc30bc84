import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { services } from '#services';
import { DeniedBursts } from '../shared/audit/denied-bursts.ts';
import { measuresOf } from '../shared/audit/measures.ts';
import { recordAudit } from '../shared/audit/record-audit.ts';
import { logEntryOf } from '../shared/http/problem.ts';

/** Of this process: who is refused often meets the same recorder often. */
const bursts = new DeniedBursts();

/**
 * The store's stream: gives the events of the outbox their place in the audit log. When it fails, the whole
 * batch comes again: what was recorded already is recognised.
 */
export async function handler(stream: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const texts = stream.Records.flatMap(({ dynamodb }) => {
    const text = dynamodb?.NewImage?.['event']?.S;
    return text === undefined ? [] : [text];
  });
  try {
    await recordAudit(services, texts);
    if (texts.length > 0) await services.measure(measuresOf(texts, services.now()));
    for (const { api_key_id, ip_addresses, ...burst } of bursts.add(texts, services.now()))
      services.log({
        level: 'warn',
        function: 'record-audit',
        code: 'denied_burst',
        ...burst,
        api_key_id: api_key_id ?? undefined,
        ip_addresses: ip_addresses.join(),
      });
    return { batchItemFailures: [] };
  } catch (error) {
    services.log({ level: 'error', function: 'record-audit', ...logEntryOf(error) });
    const first = stream.Records[0]?.dynamodb?.SequenceNumber ?? '';
    return { batchItemFailures: [{ itemIdentifier: first }] };
  }
}
