import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** A request to DynamoDB, as IAM would judge it: an action, and the partitions that it names. */
export interface Asked {
  readonly by: string;
  readonly operation: string;
  readonly checks: readonly {
    readonly action: string;
    readonly keys: readonly string[];
    readonly index: boolean;
  }[];
}

/** What happens to requests of one operation on their way. */
export interface Fault {
  readonly operation: string;
  times: number;
  /** Answers this error of DynamoDB; else what it answered is lost after it was carried out. */
  readonly error?: string;
}

const text = z.object({ S: z.string() });
const key = z.object({ pk: text }).transform(({ pk }) => pk.S);
const keyed = z.object({ Key: key }).transform(({ Key }) => Key);
const put = z.object({ Item: key }).transform(({ Item }) => Item);
const batch = <Row extends z.ZodType>(row: Row) => z.object({ RequestItems: z.record(z.string(), row) });
const write = z.union([
  z.object({ Put: put }).transform(({ Put }) => ['PutItem', Put] as const),
  z.object({ Update: keyed }).transform(({ Update }) => ['UpdateItem', Update] as const),
  z.object({ Delete: keyed }).transform(({ Delete }) => ['DeleteItem', Delete] as const),
  z
    .object({ ConditionCheck: keyed })
    .transform(({ ConditionCheck }) => ['ConditionCheckItem', ConditionCheck] as const),
]);

/** DynamoDB on loopback, with a record of what was asked for and faults on the way. */
export class RecordingProxy {
  /** Since somebody emptied it. */
  readonly asked: Asked[] = [];
  /** From the beginning. */
  readonly all: Asked[] = [];
  readonly faults: Fault[] = [];
  /** Which function runs now. */
  by = '';
  readonly #server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
      const asked = { by: this.by, operation, checks: checksOf(operation, JSON.parse(body.toString())) };
      this.asked.push(asked);
      this.all.push(asked);
      const fault = this.faults.find((one) => one.operation === operation && one.times > 0);
      if (fault !== undefined) fault.times -= 1;
      if (fault?.error !== undefined) {
        const problem = {
          __type: `com.amazonaws.dynamodb.v20120810#${fault.error}`,
          message: 'canary-message',
        };
        outgoing.writeHead(fault.error === 'InternalServerError' ? 500 : 400);
        outgoing.end(JSON.stringify(problem));
        return;
      }
      const forwarded = request(this.#target, { method: 'POST', headers: incoming.headers }, (answer) => {
        if (fault !== undefined) return answer.resume().once('end', () => incoming.destroy());
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        return answer.pipe(outgoing);
      });
      forwarded.end(body);
    });
  });
  readonly #target: string;

  constructor(target: string) {
    this.#target = target;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function checksOf(operation: string, body: unknown): Asked['checks'] {
  const one = (action: string, keys: readonly string[], index = false) => [
    { action: `dynamodb:${action}`, keys, index },
  ];
  switch (operation) {
    case 'GetItem':
    case 'UpdateItem':
      return one(operation, [keyed.parse(body)]);
    case 'PutItem':
      return one(operation, [put.parse(body)]);
    case 'BatchGetItem': {
      const { RequestItems } = batch(z.object({ Keys: z.array(key) })).parse(body);
      return one(
        operation,
        Object.values(RequestItems).flatMap(({ Keys }) => Keys),
      );
    }
    case 'BatchWriteItem': {
      const { RequestItems } = batch(z.array(z.object({ DeleteRequest: keyed }))).parse(body);
      return one(
        operation,
        Object.values(RequestItems)
          .flat()
          .map(({ DeleteRequest }) => DeleteRequest),
      );
    }
    case 'Query': {
      const query = z.object({
        IndexName: z.string().optional(),
        ExpressionAttributeValues: z.looseObject({ ':partition': text }),
      });
      const { IndexName, ExpressionAttributeValues: values } = query.parse(body);
      return one(operation, [values[':partition'].S], IndexName !== undefined);
    }
    case 'TransactWriteItems': {
      const { TransactItems } = z.object({ TransactItems: z.array(write) }).parse(body);
      return TransactItems.flatMap(([action, partition]) => one(action, [partition]));
    }
    default:
      return [{ action: `dynamodb:${operation}`, keys: [], index: false }];
  }
}
