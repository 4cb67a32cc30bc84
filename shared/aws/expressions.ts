import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { nameOf } from './failures.ts';
import type { Key } from './table-layout.ts';

/** A condition or change, with `#name` for attributes and `:name` for values. */
export interface Expression {
  readonly text: string;
  /** Attributes that the text names; each is `#` and its name there. */
  readonly names: readonly string[];
  readonly values?: Readonly<Record<string, unknown>>;
}

/** An item to put: its key and any attributes. */
export type Item = Key & Readonly<Record<string, unknown>>;

/** One write of a transaction. */
export type Write =
  | { readonly put: Item; readonly when?: Expression }
  | { readonly update: Key; readonly change: Expression; readonly when?: Expression }
  | { readonly remove: Key; readonly when?: Expression };

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A write in DynamoDB's words. */
export function transactItem(TableName: string, write: Write): TransactItem {
  if ('update' in write)
    return { Update: { TableName, Key: write.update, ...updateOf(write.change, write.when) } };
  const { when } = write;
  const condition =
    when === undefined
      ? {}
      : {
          ConditionExpression: when.text,
          ExpressionAttributeNames: namesOf(when.names),
          ...(when.values === undefined ? {} : { ExpressionAttributeValues: valuesOf(when) }),
        };
  if ('put' in write) return { Put: { TableName, Item: write.put, ...condition } };
  return { Delete: { TableName, Key: write.remove, ...condition } };
}

/** A change and its condition in DynamoDB's words. */
export function updateOf(change: Expression, when: Expression | undefined) {
  const values = { ...valuesOf(change), ...valuesOf(when) };
  return {
    UpdateExpression: change.text,
    ...(when === undefined ? {} : { ConditionExpression: when.text }),
    ExpressionAttributeNames: namesOf([...change.names, ...(when?.names ?? [])]),
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}

/** Sets these attributes, and removes those of them that are null. */
export function setAll(attributes: Readonly<Record<string, unknown>>): Expression {
  const entries = Object.entries(attributes);
  const present = entries.filter(([, value]) => value !== null);
  const absent = entries.filter(([, value]) => value === null);
  const sets = present.map(([name]) => `#${name} = :${name}`);
  const removes = absent.map(([name]) => `#${name}`);
  return {
    text: `${sets.length > 0 ? `SET ${sets.join()}` : ''}${removes.length > 0 ? ` REMOVE ${removes.join()}` : ''}`,
    names: Object.keys(attributes),
    values: Object.fromEntries(present),
  };
}

/** That there is such an item. */
export const exists: Expression = { text: 'attribute_exists(#pk)', names: ['pk'] };
/** That there is no such item. */
export const isNew: Expression = { text: 'attribute_not_exists(#pk)', names: ['pk'] };

/** An item without the attributes that are null: an index has no place for null, and a sparse one must not. */
export function withoutNulls<Item extends object>(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null)) as Item;
}

export function namesOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`#${name}`, name]));
}

export function valuesOf(expression: Expression | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(expression?.values ?? {}).map(([name, value]) => [`:${name}`, value]),
  );
}

export function projection(attributes: readonly string[] | undefined) {
  if (attributes === undefined) return {};
  return {
    ProjectionExpression: attributes.map((name) => `#${name}`).join(),
    ExpressionAttributeNames: namesOf(attributes),
  };
}

export function inChunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** Why each write of a transaction was not carried out. @throws the error, when it says nothing of that */
export function cancellationReasons(error: unknown): readonly string[] {
  if (nameOf(error) === 'TransactionInProgressException') return ['TransactionInProgress'];
  if (nameOf(error) !== 'TransactionCanceledException') throw error;
  const { CancellationReasons: reasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
  return reasons.map(({ Code }) => Code ?? 'None');
}

/** The place of the first write whose condition did not hold. @throws TypeError when the fault is another: ours */
export function refusedAt(reasons: readonly string[]): number {
  const place = reasons.indexOf('ConditionalCheckFailed');
  if (place < 0) throw new TypeError(`a transaction was refused: ${reasons.join()}`);
  return place;
}

/** Bytes as the store gives them, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
