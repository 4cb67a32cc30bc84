import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { documentClient } from '../../shared/aws/clients.ts';
import { clientFor } from './emulators.ts';

/** What happens to one request: before it is sent it may throw, and what it answered may be changed or lost. */
export interface Fault {
  /** The command, for example `TransactWriteItemsCommand`. */
  readonly command: string;
  /** How many requests of that command it happens to. */
  times: number;
  readonly before?: () => void;
  readonly after?: (output: Record<string, unknown>) => void;
}

/** A client of an emulator that counts its requests, and to which faults happen on their way. */
export function faultyClient(endpoint: string): {
  readonly client: DynamoDBDocumentClient;
  readonly faults: Fault[];
  readonly sent: string[];
} {
  const client = documentClient(clientFor(endpoint));
  const [faults, sent]: [Fault[], string[]] = [[], []];
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        sent.push(commandName);
        const fault = faults.find((one) => one.command === commandName && one.times > 0);
        if (fault !== undefined) fault.times -= 1;
        fault?.before?.();
        const result = await next(args);
        fault?.after?.(result.output as Record<string, unknown>);
        return result;
      },
    // Within the SDK's own retries, so that each try is one.
    { step: 'deserialize', priority: 'high', name: 'faults' },
  );
  return { client, faults, sent };
}

/** An error as the SDK makes it of an answer. */
export function awsError(name: string, more: object = {}): Error {
  const error = new Error(`${name} with table and keys in its message`);
  return Object.assign(error, { name, $fault: 'client', $metadata: { httpStatusCode: 400 }, ...more });
}

/** The cancellation of a transaction. */
export function cancelled(...codes: string[]): Error {
  return awsError('TransactionCanceledException', { CancellationReasons: codes.map((Code) => ({ Code })) });
}
