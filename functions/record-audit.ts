import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { services } from '#services';
import { measuresOf } from '../shared/audit/measures.ts';
import { recordAudit } from '../shared/audit/record-audit.ts';
import { logEntryOf } from '../shared/http/problem.ts';

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
    return { batchItemFailures: [] };
  } catch (error) {
    services.log({ level: 'error', function: 'record-audit', ...logEntryOf(error) });
    const first = stream.Records[0]?.dynamodb?.SequenceNumber ?? '';
    return { batchItemFailures: [{ itemIdentifier: first }] };
  }
}
