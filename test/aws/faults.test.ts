import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventText, linkRecords } from '../../shared/audit/chain.ts';
import { indexBlocks } from '../../shared/audit/facets.ts';
import { searchLog } from '../../shared/audit/search-log.ts';
import type { StoreHost } from '../conformance/host.ts';
import {
  acme,
  apiKeyOf,
  changeOf,
  eventOf,
  NOW,
  namesOf,
  place,
  runOf,
  trailOf,
} from '../conformance/samples.ts';
import { codeOfRejection } from '../testkit/failure.ts';
import { createTable, storesOver } from './dynamo-host.ts';
import { dynamodbLocal } from './emulators.ts';
import { awsError, cancelled, faultyClient } from './faults.ts';

const throwing = (error: () => Error) => () => {
  throw error();
};

describe('DynamoDB with faults', () => {
  const { client, faults, sent } = faultyClient(dynamodbLocal);
  let host: StoreHost;

  beforeEach(async () => {
    faults.length = 0;
    host = storesOver(client, await createTable(client), () => new Date(NOW));
    sent.length = 0;
  });
  afterEach(async () => {
    faults.length = 0;
    await host.close();
  });

  it('a write whose answer is lost is carried out once, and said to be', async () => {
    faults.push({
      command: 'TransactWriteItemsCommand',
      times: 2,
      after: throwing(() => awsError('TimeoutError')),
    });
    expect(await host.secrets.save(changeOf('db', 1))).toBe(true);
    expect(sent).toEqual(Array(3).fill('TransactWriteItemsCommand'));
    expect(await host.waiting()).toHaveLength(1);
  });

  it('a run whose answer is lost does not exist before itself', async () => {
    const after = throwing(() => awsError('TimeoutError'));
    faults.push({ command: 'TransactWriteItemsCommand', times: 1, after });
    await host.callers.addRun(runOf('r1'), trailOf());
    expect(await host.callers.findRun(acme, runOf('r1').run_id)).toStrictEqual(runOf('r1'));
  });

  it('conflicts are waited out, also beside a condition that does not hold now', async () => {
    for (const error of [
      cancelled('TransactionConflict', 'None'),
      cancelled('ConditionalCheckFailed', 'TransactionConflict'),
    ])
      faults.push({ command: 'TransactWriteItemsCommand', times: 2, before: throwing(() => error) });
    expect(await host.secrets.save(changeOf('db', 1))).toBe(true);
    expect(sent.filter((one) => one === 'TransactWriteItemsCommand')).toHaveLength(5);
  });

  it('a transaction in progress is waited for', async () => {
    const before = throwing(() => awsError('TransactionInProgressException'));
    faults.push({ command: 'TransactWriteItemsCommand', times: 2, before });
    expect(await host.secrets.save(changeOf('db', 1))).toBe(true);
  });

  it('a conflict that does not end is unavailable, and nothing is written', async () => {
    const before = throwing(() => cancelled('TransactionConflict'));
    faults.push({ command: 'TransactWriteItemsCommand', times: 1000, before });
    expect(await codeOfRejection(host.secrets.save(changeOf('db', 1)))).toBe('unavailable');
    expect(await host.waiting()).toEqual([]);
  });

  it('throttled requests are sent again', async () => {
    await host.secrets.save(changeOf('db', 1));
    for (const command of [
      'BatchGetItemCommand',
      'QueryCommand',
      'TransactWriteItemsCommand',
      'PutItemCommand',
    ])
      faults.push({ command, times: 1, before: throwing(() => awsError('ThrottlingException')) });
    expect(await host.secrets.findMany(acme, [place('db')])).toHaveLength(1);
    expect(await host.secrets.list(acme, { prefix: '', after: undefined, limit: 5 })).toHaveProperty(
      'items.length',
      1,
    );
    expect(await host.secrets.save(changeOf('db', 2))).toBe(true);
    await host.outbox.append(eventOf());
    expect(faults.map(({ times }) => times)).toEqual([0, 0, 0, 0]);
  });

  for (const name of [
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'AccessDeniedException',
    'ResourceNotFoundException',
    'ExpiredTokenException',
    'CredentialsProviderError',
    'InternalServerError',
    'TimeoutError',
  ]) {
    it(`${name}, again and again, is unavailable, and its message goes nowhere`, async () => {
      for (const command of [
        'BatchGetItemCommand',
        'TransactWriteItemsCommand',
        'PutItemCommand',
        'UpdateItemCommand',
        'GetItemCommand',
      ])
        faults.push({ command, times: 1000, before: throwing(() => awsError(name)) });
      const failures = [
        host.secrets.findMany(acme, [place('db')]),
        host.secrets.save(changeOf('db', 1)),
        host.outbox.append(eventOf()),
        host.callers.noteApiKeyUse(apiKeyOf(1).id, NOW),
        host.auditLog.head(acme),
      ];
      const errors = await Promise.all(failures.map((failure) => failure.catch((reason: unknown) => reason)));
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'unavailable' });
        expect(String(error)).not.toContain('keys in its message');
        expect(error).not.toHaveProperty('cause');
      }
    });
  }

  it('keys that were left unprocessed are asked for again', async () => {
    const keys = Array.from({ length: 30 }, (_, index) => `s${index}`);
    for (const key of keys) await host.secrets.save(changeOf(key, 1));
    const after = (output: Record<string, unknown>) => leaveUnprocessed(output, 10);
    faults.push({ command: 'BatchGetItemCommand', times: 2, after });
    sent.length = 0;
    expect(namesOf(await host.secrets.findMany(acme, keys.map(place)))).toEqual(keys.toSorted());
    expect(sent).toEqual(Array(3).fill('BatchGetItemCommand'));
  });

  it('a removal that is cut off is finished by the purge', async () => {
    for (let revision = 1; revision <= 30; revision++) await host.secrets.save(changeOf('db', revision));
    const before = throwing(() => awsError('AccessDeniedException'));
    faults.push({ command: 'BatchWriteItemCommand', times: 1, before });
    expect(await host.secrets.remove(acme, place('db'), 30, trailOf())).toBe(true);
    expect(await host.secrets.findMany(acme, [place('db')])).toEqual([]);
    expect((await host.secrets.list(acme, { prefix: '', after: undefined, limit: 5 })).items).toEqual([]);
    expect(await host.secrets.save(changeOf('db', 1))).toBe(false);
    expect(await host.secrets.save(changeOf('db', 31))).toBe(false);
    const [left] = await host.secrets.purgeable('9', 10);
    expect(left).toMatchObject({ org: acme, revision: 30 });
    expect(await host.secrets.remove(acme, place('db'), 30, trailOf())).toBe(true);
    expect(await host.secrets.purgeable('9', 10)).toEqual([]);
    expect(await host.secrets.save(changeOf('db', 1))).toBe(true);
    const { items } = await host.secrets.versions(acme, place('db'), { limit: 50, below: undefined });
    expect(items.map(({ version }) => version)).toEqual([1]);
  });

  it('a recorder that loses after its index was written takes nothing out of the winner’s', async () => {
    const head = await host.auditLog.head(acme);
    const events = [eventOf({ user: 'ada' }), eventOf({ user: 'ada' })].map((event) => ({
      text: eventText(event),
      event,
    }));
    const append = (some: typeof events) => {
      const records = linkRecords(head, some);
      return host.auditLog.appendAfter(acme, head, records, indexBlocks(records, some));
    };
    expect(await append(events)).toBe(true);
    // The same block by its position, with one record fewer.
    expect(await append(events.slice(1))).toBe(false);
    const found = await searchLog(host.auditLog, acme, { user: 'ada' }, 10, undefined);
    expect(found.map(({ record }) => record.sequence)).toEqual([2, 1]);
  });

  it('fifty references that may each be in six places cost three reads', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `s${index}`).flatMap((name) =>
      [
        'org#production#',
        'org##',
        'pipeline#production#p1',
        'pipeline##p1',
        'user#production#ada',
        'user##ada',
      ].map((rest) => place(`${name}#${rest}`)),
    );
    await host.secrets.findMany(acme, keys);
    expect(sent).toEqual(Array(3).fill('BatchGetItemCommand'));
  });
});

/** Makes as if items after the first so many had not been read. */
function leaveUnprocessed(output: Record<string, unknown>, processed: number): void {
  const responses = output['Responses'] as Record<string, Record<string, unknown>[]>;
  for (const [table, items] of Object.entries(responses)) {
    const left = items.splice(processed);
    output['UnprocessedKeys'] = { [table]: { Keys: left.map(({ pk, sk }) => ({ pk, sk })) } };
  }
}
