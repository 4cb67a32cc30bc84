import { randomUUID } from 'node:crypto';
import {
  BatchGetCommand,
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { Deadline } from './deadline.ts';
import {
  cancellationReasons,
  type Expression,
  type Item,
  inChunks,
  namesOf,
  projection,
  refusedAt,
  transactItem,
  updateOf,
  valuesOf,
  type Write,
} from './expressions.ts';
import { nameOf, toFailure } from './failures.ts';
import { type Key, tableLayout } from './table-layout.ts';

export interface Range {
  /** Inclusive. */
  readonly from: string;
  readonly to: string;
}

export interface QueryOptions {
  readonly limit: number;
  readonly descending?: boolean;
  /** In the index; else in the table, strongly consistent. */
  readonly inIndex?: boolean;
  readonly attributes?: readonly string[];
  readonly when?: Expression;
}

const KEYS_AT_ONCE = 100;
const WRITES_AT_ONCE = 25;
/** A page has at most 1 MiB; more items than this in one request gain nothing. */
const ITEMS_AT_ONCE = 1000;
const RETRIED = [
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'TransactionInProgress',
];
/** Errors that say what became of a write. */
const ANSWERS = [
  'ConditionalCheckFailedException',
  'TransactionCanceledException',
  'TransactionInProgressException',
];

/**
 * The table. Every read of it is strongly consistent, so that what was written is seen by the next request, and
 * every method ends within a deadline.
 */
export class Table {
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;
  readonly #onFailure: (name: string) => void;

  /** @param onFailure is told the name of each failure that becomes `unavailable` */
  constructor(
    client: DynamoDBDocumentClient,
    name: string,
    onFailure: (name: string) => void = () => undefined,
  ) {
    this.#client = client;
    this.#name = name;
    this.#onFailure = onFailure;
  }

  /** @throws SecretsError `unavailable` */
  async get<Row>(key: Key): Promise<Row | undefined> {
    const command = new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true });
    const { Item: item } = await this.#send((options) => this.#client.send(command, options));
    return item as Row | undefined;
  }

  /**
   * Those of the keys' items that exist, in any order, each once. @throws SecretsError `unavailable`
   */
  async getMany<Row>(keys: readonly Key[], attributes?: readonly string[]): Promise<Row[]> {
    // A request that names a key twice is refused.
    const unique = [...new Map(keys.map((key) => [`${key.pk} ${key.sk}`, key])).values()];
    const deadline = new Deadline();
    const chunks = inChunks(unique, KEYS_AT_ONCE).map((chunk) => this.#getChunk(chunk, attributes, deadline));
    return (await Promise.all(chunks)).flat() as Row[];
  }

  async #getChunk(keys: readonly Key[], attributes: readonly string[] | undefined, deadline: Deadline) {
    const found: Record<string, unknown>[] = [];
    for (let Keys: Record<string, unknown>[] = keys.map((key) => ({ ...key })); ; ) {
      const request = { Keys, ConsistentRead: true, ...projection(attributes) };
      const command = new BatchGetCommand({ RequestItems: { [this.#name]: request } });
      const answer = await this.#send((options) => this.#client.send(command, options), deadline);
      found.push(...(answer.Responses?.[this.#name] ?? []));
      Keys = answer.UnprocessedKeys?.[this.#name]?.Keys ?? [];
      if (Keys.length === 0) return found;
      await deadline.pause();
    }
  }

  /**
   * Items of a partition by their sort keys, at most `limit` of those that the filter lets through.
   * @throws SecretsError `unavailable`
   */
  async query<Row>(partition: string, range: Range, options: QueryOptions): Promise<Row[]> {
    // DynamoDB refuses such a range where it could answer that nothing is in it.
    if (range.from > range.to) return [];
    const deadline = new Deadline();
    const found: Record<string, unknown>[] = [];
    for (let start: QueryCommandInput['ExclusiveStartKey']; ; ) {
      const command = new QueryCommand({
        ...this.#queryInput(partition, range, options),
        Limit: Math.min(options.limit - found.length, ITEMS_AT_ONCE),
        ExclusiveStartKey: start,
      });
      const answer = await this.#send((sent) => this.#client.send(command, sent), deadline);
      found.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
      if (start === undefined || found.length >= options.limit) return found as Row[];
    }
  }

  #queryInput(partition: string, { from, to }: Range, options: QueryOptions): QueryCommandInput {
    const { index, partitionKey, sortKey } = tableLayout;
    const key = options.inIndex ? index : { partitionKey, sortKey };
    const { attributes = [], when } = options;
    const names = [key.partitionKey, key.sortKey, ...attributes, ...(when?.names ?? [])];
    return {
      TableName: this.#name,
      ...(options.inIndex ? { IndexName: index.name } : { ConsistentRead: true }),
      KeyConditionExpression: `#${key.partitionKey} = :partition AND #${key.sortKey} BETWEEN :from AND :to`,
      ExpressionAttributeNames: namesOf(names),
      ExpressionAttributeValues: { ':partition': partition, ':from': from, ':to': to, ...valuesOf(when) },
      ScanIndexForward: !options.descending,
      ...(attributes.length === 0
        ? {}
        : { ProjectionExpression: attributes.map((name) => `#${name}`).join() }),
      ...(when === undefined ? {} : { FilterExpression: when.text }),
    };
  }

  /** Writes an item. May be sent twice: it is the same item. @throws SecretsError `unavailable` */
  async put(item: Item): Promise<void> {
    const command = new PutCommand({ TableName: this.#name, Item: item });
    await this.#send((options) => this.#client.send(command, options));
  }

  /** Changes one item. @returns false when its condition did not hold @throws SecretsError `unavailable` */
  async update(key: Key, change: Expression, when?: Expression): Promise<boolean> {
    const command = new UpdateCommand({ TableName: this.#name, Key: key, ...updateOf(change, when) });
    try {
      await this.#send((options) => this.#client.send(command, options));
      return true;
    } catch (error) {
      if (nameOf(error) === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  /** Writes items, not all at once, in place of what is there. @throws SecretsError `unavailable`: some may be written */
  async putMany(items: readonly Item[]): Promise<void> {
    await this.#writeMany(items.map((Item) => ({ PutRequest: { Item } })));
  }

  /** Removes items, not all at once. @throws SecretsError `unavailable`: some may be removed */
  async removeMany(keys: readonly Key[]): Promise<void> {
    await this.#writeMany(keys.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })));
  }

  async #writeMany(all: readonly object[]): Promise<void> {
    const deadline = new Deadline();
    for (const chunk of inChunks(all, WRITES_AT_ONCE)) {
      for (let requests: object[] = chunk; ; ) {
        const command = new BatchWriteCommand({ RequestItems: { [this.#name]: requests } });
        const answer = await this.#send((options) => this.#client.send(command, options), deadline);
        requests = answer.UnprocessedItems?.[this.#name] ?? [];
        if (requests.length === 0) break;
        await deadline.pause();
      }
    }
  }

  /**
   * Carries out at most 100 writes, all or none.
   * @returns null when they were carried out; else the place of the first whose condition did not hold
   * @throws SecretsError `unavailable`
   */
  async transact(writes: readonly Write[]): Promise<number | null> {
    const deadline = new Deadline();
    // One token for every try: a transaction whose answer was lost is not carried out twice.
    const ClientRequestToken = randomUUID();
    const TransactItems = writes.map((write) => transactItem(this.#name, write));
    for (;;) {
      try {
        const command = new TransactWriteCommand({ TransactItems, ClientRequestToken });
        await this.#send((options) => this.#client.send(command, options), deadline);
        return null;
      } catch (error) {
        const reasons = cancellationReasons(error);
        // Whoever is in the way may be about to make a condition hold or not: conflicts are waited out first.
        if (!reasons.some((reason) => RETRIED.includes(reason))) return refusedAt(reasons);
      }
      await deadline.pause();
    }
  }

  async #send<T>(
    send: (options: { abortSignal: AbortSignal }) => Promise<T>,
    deadline = new Deadline(),
  ): Promise<T> {
    try {
      return await send({ abortSignal: deadline.signal });
    } catch (error) {
      if (ANSWERS.includes(nameOf(error))) throw error;
      this.#onFailure(nameOf(error));
      throw toFailure(error);
    }
  }
}
