import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveRow, ArchiveStore } from '../../shared/backup/archive.ts';
import { environmentName } from '../../shared/contract/ids.ts';
import { announcementId, type Digest, type Recipient } from '../../shared/reminders/reminder-store.ts';
import { makeEmbedded } from './embedded-host.ts';
import type { MakeStores, StoreHost } from './host.ts';
import {
  acme,
  acmeTwo,
  apiKeyOf,
  at,
  changeOf,
  eventOf,
  headOf,
  NOW,
  nameOf,
  place,
  runOf,
  trailOf,
} from './samples.ts';

const PRODUCTION = 'db#pipeline#production#p1';
const organizationOf = (id: typeof acme, more: object = {}) => ({
  ...{ id, created_at: NOW, record_reads: true, rotation_policies: [] },
  ...{ audit_retention_days: null, settings_signature: null },
  ...more,
});
const digest: Digest = {
  ...{ id: 'd1', org: acme, owner: 'ada', created_at: NOW, revision: 1, attempts: 2 },
  announcements: [{ at: place('db'), version: 1, due_at: NOW, stage: { kind: 'due', days: 0 } }],
  ...{ delivered: ['r1'], refused: [], retry_at: at(60) },
};
const recipientOf = (id: string, token_hash: string | null): Recipient => ({
  ...{ id, org: acme, kind: 'email', address: 'ada@example.com', host: null, owner: null },
  ...{ states: ['due'], created_at: NOW, created_by: 'ada', sealed: null, token_hash },
});

/** Leaves something of each kind. */
async function fill({ secrets, dataKeyStore, callers, reminders, outbox }: StoreHost): Promise<void> {
  await callers.addOrganization(organizationOf(acme), apiKeyOf(1), trailOf());
  await callers.addOrganization(
    organizationOf(acmeTwo),
    apiKeyOf(9, { org: acmeTwo }),
    trailOf({ org: acmeTwo }),
  );
  const settings = { record_reads: false, audit_retention_days: 400, settings_signature: 'signed' };
  await callers.saveOrganization(organizationOf(acme, settings), trailOf());
  for (const number of [2, 3]) await callers.addApiKey(apiKeyOf(number), trailOf());
  await callers.revokeApiKey(acme, apiKeyOf(2).id, at(5), trailOf());
  await callers.noteApiKeyUse(apiKeyOf(3).id, at(6));
  for (const id of ['run_1', 'run_2']) await callers.addRun(runOf(id), trailOf());
  await callers.endRun(acme, runOf('run_2').run_id, at(7), trailOf());
  const key = { id: 'k1', org: acme, wrapped: Buffer.from('w'), created_at: NOW };
  await dataKeyStore.add({ ...key, environment: null, recovery: null });
  const recovery = Buffer.from('r');
  await dataKeyStore.add({ ...key, id: 'k2', environment: environmentName.parse('production'), recovery });
  for (const revision of [1, 2, 3]) await secrets.save(changeOf('db', revision));
  await secrets.save(
    changeOf(PRODUCTION, 1, { secret: headOf(PRODUCTION, 1, { next_rotation_at: at(20) }) }),
  );
  const gone = { deleted_at: at(1), purge_at: at(30) };
  await secrets.save(changeOf('gone', 1, { secret: headOf('gone', 1, gone) }));
  await secrets.save(changeOf('db', 1, { org: acmeTwo }));
  await secrets.noteAccesses(acme, [{ secret: { name: 'db', scope: 'org' }, at: at(9) }] as never);
  await reminders.addRecipient(recipientOf('r1', null), trailOf());
  await reminders.addRecipient(recipientOf('r2', 'hash of a token'), trailOf());
  await reminders.claim(digest);
  await reminders.claim({
    ...digest,
    id: 'd2',
    announcements: [{ ...digest.announcements[0], version: 2 }],
  } as Digest);
  await reminders.saveDigest({ ...digest, revision: 2, retry_at: null }, null, []);
  await reminders.saveProgress(acme, { policies: 'walked', audit: null });
  await outbox.append(eventOf());
}

/** What the ports answer, each as JSON. */
async function answersOf({ secrets, dataKeyStore, callers, reminders, ...host }: StoreHost) {
  const sorted = <T>(items: readonly T[]) => items.map((item) => JSON.stringify(plain(item))).sort();
  const all = { prefix: '', after: undefined, limit: 100 };
  const announced = [1, 2, 3].map((version) =>
    announcementId({ ...digest.announcements[0], version } as never),
  );
  return {
    list: sorted((await secrets.list(acme, all)).items),
    other: sorted((await secrets.list(acmeTwo, all)).items),
    byName: sorted(await secrets.findByName(acme, nameOf('db'))),
    versions: sorted((await secrets.versions(acme, place('db'), { limit: 100, below: undefined })).items),
    due: sorted((await secrets.due(acme, { until: at(99), after: undefined, limit: 100 })).items),
    purgeable: sorted(await secrets.purgeable(at(99), 100)),
    dataKeys: sorted(await dataKeyStore.find(acme, ['k1', 'k2'])),
    keys: sorted((await callers.listApiKeys(acme, 100, undefined)).items),
    key: JSON.stringify(await callers.findApiKey(apiKeyOf(2).id)),
    runs: [
      await callers.findRun(acme, runOf('run_1').run_id),
      await callers.findRun(acme, runOf('run_2').run_id),
    ],
    organizations: sorted((await callers.listOrganizations(100, undefined)).items),
    settings: await callers.findOrganization(acme),
    recipients: sorted(await reminders.recipients(acme)),
    calendar: await reminders.findCalendar('hash of a token'),
    digests: sorted(await reminders.waiting(at(99), 100)),
    announced: [...(await reminders.announced(acme, announced))].sort(),
    progress: await reminders.progress(acme),
    waiting: [...(await host.waiting())].sort(),
  };
}

/** An item whose bytes are base64 and whose keys are in order, whatever a store makes of them. */
function plain(item: unknown): unknown {
  if (item instanceof Uint8Array) return Buffer.from(item).toString('base64');
  if (Array.isArray(item)) return item.map(plain);
  if (typeof item !== 'object' || item === null) return item;
  const entries = Object.entries(item).map(([name, value]) => [name, plain(value)] as const);
  return Object.fromEntries(entries.sort(([one], [two]) => (one < two ? -1 : 1)));
}

/** A store as a whole: what it is loaded with is found by every port as it was in the store that it comes from. */
export function archiveTargetSuite(make: MakeStores): void {
  let source: StoreHost;
  let target: StoreHost;
  beforeEach(async () => {
    const now = () => new Date(NOW);
    [source, target] = [await makeEmbedded(now), await make(now)];
  });
  afterEach(async () => {
    await source.close();
    await target.close();
  });
  const load = async () => {
    for await (const row of (source.archive as ArchiveStore).rows()) await target.archive.load([row]);
  };

  describe('ArchiveTarget', () => {
    it('answers as the store that it was loaded from, once or twice', async () => {
      await fill(source);
      const expected = await answersOf(source);
      expect(await target.archive.isUsed()).toBe(false);
      await load();
      expect(await answersOf(target)).toEqual(expected);
      // Events have no place of their own: a recorder takes each once, however often it waits.
      const rows = await Array.fromAsync((source.archive as ArchiveStore).rows());
      await target.archive.load(rows.filter(({ kind }) => kind !== 'audit_event'));
      expect(await answersOf(target)).toEqual(expected);
      expect(await target.archive.isUsed()).toBe(true);
    });

    it('takes many rows at once', async () => {
      const rows = Array.from({ length: 60 }, (_, index): ArchiveRow => {
        const wrapped = Buffer.from(`w${index}`).toString('base64');
        const key = { id: `k${index}`, environment: null, wrapped, recovery: null, created_at: NOW };
        return { kind: 'data_key', org: acme, ...key };
      });
      await target.archive.load(rows);
      const ids = Array.from({ length: 60 }, (_, index) => `k${index}`);
      expect(await target.dataKeyStore.find(acme, ids)).toHaveLength(60);
      await target.archive.load([]);
    });

    it('does not take the log’s records: they are appended', async () => {
      const record = { kind: 'audit_record', org: acme, sequence: 1, bytes: '' } as const;
      await expect(target.archive.load([record])).rejects.toThrow();
    });
  });
}
