import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventText, recordHash } from '../../shared/audit/chain.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { recordAudit } from '../../shared/audit/record-audit.ts';
import { verifyLog } from '../../shared/audit/verify-log.ts';
import { documentClient } from '../../shared/aws/clients.ts';
import { chainPartition, recordKey } from '../../shared/aws/table-layout.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import type { StoreHost } from '../conformance/host.ts';
import { acme, eventOf, NOW } from '../conformance/samples.ts';
import { throwawayKeyring } from '../testkit/key-service.ts';
import { createTable, storesOver } from './dynamo-host.ts';
import { clientFor, dynamodbLocal } from './emulators.ts';

// Somebody who can write the table changes the log: verify names the first record that is not what it was.

type Item = Record<string, unknown> & { pk: string; sk: string; bytes: Uint8Array; hash: string };

const RECORDS = 6;
const client = documentClient(clientFor(dynamodbLocal));
const folder = mkdtempSync(join(tmpdir(), 'fm-tamper-'));
const keyService = throwawayKeyring();
let TableName = '';
let host: StoreHost;
let items: Item[] = [];

const needs = () => ({
  ...host,
  keyService,
  checkpoints: new CheckpointFolder(folder),
  signatures: { verifies: async () => false },
  now: () => new Date(NOW),
});
const all = { from: 0, root: null, isEnough: () => false, onRecord: () => undefined };
const named = async () => (await verifyLog(needs(), acme, all)).first_bad?.sequence ?? null;
const put = (item: Item) => client.send(new PutCommand({ TableName, Item: item }));
const remove = ({ pk, sk }: Item) => client.send(new DeleteCommand({ TableName, Key: { pk, sk } }));
const restore = async () => {
  for (const item of items) await put(item);
};

beforeAll(async () => {
  TableName = await createTable(client);
  host = storesOver(client, TableName, () => new Date(NOW));
  const texts = Array.from({ length: RECORDS }, () => eventText(eventOf({ user: 'ada' })));
  await recordAudit(needs(), texts);
  await checkpointAudit(needs(), acme);
  const command = new QueryCommand({
    TableName,
    KeyConditionExpression: 'pk = :pk AND sk < :head',
    ExpressionAttributeValues: { ':pk': chainPartition(acme), ':head': 'head' },
  });
  items = ((await client.send(command)).Items ?? []) as Item[];
  expect(items).toHaveLength(RECORDS);
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

test('as it was written it is whole', async () => {
  expect(await named()).toBe(null);
});

test('each record changed, at many a byte, with its hash and without', async () => {
  for (const [at, item] of items.entries()) {
    for (let byte = at % 17; byte < item.bytes.length; byte += 17) {
      const bytes = Buffer.from(item.bytes);
      bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
      await put({ ...item, bytes, ...(byte % 2 === 0 ? {} : { hash: recordHash(bytes) }) });
      expect({ at, byte, named: await named() }).toEqual({ at, byte, named: at + 1 });
    }
    await put(item);
  }
});

test('each record removed, or the last ones, or two of them swapped, or one repeated', async () => {
  for (const [at, item] of items.entries()) {
    await remove(item);
    expect({ removed: at, named: await named() }).toEqual({ removed: at, named: at + 1 });
    for (const later of items.slice(at + 1)) await remove(later);
    expect({ cut: at, named: await named() }).toEqual({ cut: at, named: at + 1 });
    await restore();
    const next = items[at + 1];
    if (next === undefined) continue;
    await put({ ...next, ...recordKey(acme, at + 1) });
    expect({ repeated: at, named: await named() }).toEqual({ repeated: at, named: at + 1 });
    await put({ ...item, ...recordKey(acme, at + 2) });
    expect({ swapped: at, named: await named() }).toEqual({ swapped: at, named: at + 1 });
    await restore();
  }
  expect(await named()).toBe(null);
});

test('each index block removed', async () => {
  const { Items: blocks = [] } = await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `org#${acme}#index#user#ada` },
    }),
  );
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks as Item[]) {
    await remove(block);
    expect(await named()).toBe(1);
    await put(block);
  }
  expect(await named()).toBe(null);
});
