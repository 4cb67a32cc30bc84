import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { DynamoArchive } from '../../shared/aws/archive.ts';
import { DynamoAuditLog } from '../../shared/aws/audit-log.ts';
import { DynamoAuditOutbox } from '../../shared/aws/audit-outbox.ts';
import { DynamoCallerStore } from '../../shared/aws/caller-store.ts';
import { documentClient } from '../../shared/aws/clients.ts';
import { DynamoDataKeyStore } from '../../shared/aws/data-key-store.ts';
import { DynamoReminderStore } from '../../shared/aws/reminder-store.ts';
import { DynamoReplayStore } from '../../shared/aws/replay-store.ts';
import { DynamoSecretStore } from '../../shared/aws/secret-store.ts';
import { Table } from '../../shared/aws/table.ts';
import { outboxPartitions, tableLayout } from '../../shared/aws/table-layout.ts';
import type { MakeStores, StoreHost } from '../conformance/host.ts';
import { clientFor } from './emulators.ts';

/** A new table as the layout has it. */
export async function createTable(client: DynamoDBDocumentClient): Promise<string> {
  const { partitionKey, sortKey, index } = tableLayout;
  const TableName = `fm-${randomUUID()}`;
  const names = [partitionKey, sortKey, index.partitionKey, index.sortKey];
  const keys = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  const command = new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    KeySchema: keys(partitionKey, sortKey),
    GlobalSecondaryIndexes: [
      {
        IndexName: index.name,
        KeySchema: keys(index.partitionKey, index.sortKey),
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.attributes] },
      },
    ],
  });
  await client.send(command);
  return TableName;
}

/** The DynamoDB stores over a table. */
export function storesOver(client: DynamoDBDocumentClient, TableName: string, now: () => Date): StoreHost {
  const table = new Table(client, TableName);
  const outbox = new DynamoAuditOutbox(table);
  return {
    secrets: new DynamoSecretStore(table),
    dataKeyStore: new DynamoDataKeyStore(table),
    callers: new DynamoCallerStore(table),
    replays: new DynamoReplayStore(table, now),
    reminders: new DynamoReminderStore(table),
    outbox,
    auditLog: new DynamoAuditLog(table),
    archive: new DynamoArchive(table),
    waiting: () => waitingIn(client, TableName),
    auditLag: () => outbox.lag(),
    close: async () => {
      await client.send(new DeleteTableCommand({ TableName }));
    },
  };
}

/** Makes stores over a new table each time. */
export function dynamoHost(endpoint: string): MakeStores {
  const client = documentClient(clientFor(endpoint));
  return async (now) => storesOver(client, await createTable(client), now);
}

async function waitingIn(client: DynamoDBDocumentClient, TableName: string): Promise<string[]> {
  const texts: string[] = [];
  for (const partition of outboxPartitions) {
    for (let start: Record<string, unknown> | undefined; ; ) {
      const command = new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': partition },
        ExclusiveStartKey: start,
      });
      const { Items = [], LastEvaluatedKey } = await client.send(command);
      texts.push(...Items.map((item) => String(item['event'])));
      start = LastEvaluatedKey;
      if (start === undefined) break;
    }
  }
  return texts;
}
