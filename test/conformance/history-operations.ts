import { eventText, linkRecords } from '../../shared/audit/chain.ts';
import { indexBlocks } from '../../shared/audit/facets.ts';
import { recordAudit } from '../../shared/audit/record-audit.ts';
import { searchLog } from '../../shared/audit/search-log.ts';
import { coordinatesKey } from '../../shared/contract/coordinates.ts';
import type { StoreHost } from './host.ts';
import {
  acme,
  acmeTwo,
  apiKeyOf,
  at,
  changeOf,
  eventOf,
  headOf,
  nameOf,
  place,
  replayOf,
  runOf,
  trailOf,
} from './samples.ts';

/** One step: what it does to any host and answers, as plain text. Made once, run on each host. */
export interface Operation {
  readonly name: string;
  readonly run: (host: StoreHost) => Promise<unknown>;
}

export type Pick = <T>(from: readonly [T, ...T[]]) => T;
export type Make = (pick: Pick, moment: string) => Operation['run'];

const orgs = [acme, acme, acmeTwo] as const;
const keys = ['a', 'a#org#production#', 'ab#pipeline##p1', 'b#user#staging#ada', 'B'] as const;
const numbers = [1, 2, 3, 4] as const;

/** What a replayable write leaves: mostly nothing, sometimes an answer under one of few keys. */
function someTrail(pick: Pick, org: typeof acme, moment: string) {
  const key = pick([null, null, 'k1', 'k2']);
  const expires_at = new Date(Date.parse(moment) + 30_000).toISOString();
  return trailOf({ org, timestamp: moment }, key === null ? null : replayOf(key, { expires_at }));
}

export const secretOperations: Readonly<Record<string, Make>> = {
  save: (pick, moment) => {
    const [org, key, revision] = [pick(orgs), pick(keys), pick(numbers)];
    const purge_at = pick([null, null, moment]);
    const secret = headOf(key, revision, {
      purge_at,
      deleted_at: purge_at,
      next_rotation_at: pick([null, moment]),
    });
    const change = changeOf(key, revision, { org, secret, trail: someTrail(pick, org, moment) });
    const saved = pick([true, true, false]) ? change : { ...change, added: null };
    return (host) => host.secrets.save(saved);
  },
  remove: (pick, moment) => {
    const [org, key, revision] = [pick(orgs), pick(keys), pick(numbers)];
    const trail = someTrail(pick, org, moment);
    return (host) => host.secrets.remove(org, place(key), revision, trail);
  },
  findMany: (pick) => {
    const [org, wanted] = [pick(orgs), [pick(keys), pick(keys), pick(keys)].map(place)];
    return async (host) => sorted(await host.secrets.findMany(org, wanted));
  },
  findByName: (pick) => {
    const [org, name] = [pick(orgs), nameOf(pick(['a', 'ab', 'b', 'none']))];
    return async (host) => sorted(await host.secrets.findByName(org, name));
  },
  list: (pick) => {
    const [org, prefix, limit] = [pick(orgs), pick(['', 'a', 'ab', 'B']), pick([1, 2, 10])];
    const after = pick([undefined, 'a#org##', 'ab#pipeline##p1']);
    return (host) => host.secrets.list(org, { prefix, after, limit });
  },
  versions: (pick) => {
    const [org, key, limit, below] = [
      pick(orgs),
      pick(keys),
      pick([1, 2, 10]),
      pick([undefined, ...numbers]),
    ];
    return (host) => host.secrets.versions(org, place(key), { limit, below });
  },
  findVersions: (pick) => {
    const [org, key, version] = [pick(orgs), pick(keys), pick(numbers)];
    return (host) => host.secrets.findVersions(org, [{ at: place(key), version }]);
  },
  purgeable: (_pick, moment) => async (host) => sorted(await host.secrets.purgeable(moment, 100)),
  noteAccesses: (pick, moment) => {
    const org = pick(orgs);
    const times = [pick([moment, at(0)]), moment];
    const notes = times.map((time) => ({
      secret: { name: pick(['a', 'B', 'none']), scope: 'org' as const },
      at: time,
    }));
    return (host) => host.secrets.noteAccesses(org, notes);
  },
};

export const callerOperations: Readonly<Record<string, Make>> = {
  addApiKey: (pick, moment) => {
    const org = pick(orgs);
    const [key, trail] = [apiKeyOf(pick([1, 2, 3, 4, 5, 6]), { org }), someTrail(pick, org, moment)];
    return (host) => host.callers.addApiKey(key, trail);
  },
  revokeApiKey: (pick, moment) => {
    const [org, { id }] = [pick(orgs), apiKeyOf(pick(numbers))];
    const trail = someTrail(pick, org, moment);
    return (host) => host.callers.revokeApiKey(org, id, moment, trail);
  },
  listApiKeys: (pick) => {
    const [org, limit, after] = [
      pick(orgs),
      pick([1, 2, 10]),
      pick([undefined, `${at(3)} ${apiKeyOf(3).id}`]),
    ];
    return (host) => host.callers.listApiKeys(org, limit, after);
  },
  findApiKey: (pick) => {
    const { id } = apiKeyOf(pick(numbers));
    return (host) => host.callers.findApiKey(id);
  },
  noteApiKeyUse: (pick, moment) => {
    const { id } = apiKeyOf(pick(numbers));
    return (host) => host.callers.noteApiKeyUse(id, moment);
  },
  addRun: (pick, moment) => {
    const org = pick(orgs);
    const [run, trail] = [runOf(pick(['r1', 'r2', 'r3']), { org }), someTrail(pick, org, moment)];
    return (host) => host.callers.addRun(run, trail);
  },
  endRun: (pick, moment) => {
    const [org, { run_id }] = [pick(orgs), runOf(pick(['r1', 'r2', 'r3']))];
    const trail = someTrail(pick, org, moment);
    return (host) => host.callers.endRun(org, run_id, moment, trail);
  },
  findRun: (pick) => {
    const [org, { run_id }] = [pick(orgs), runOf(pick(['r1', 'r2', 'r3']))];
    return (host) => host.callers.findRun(org, run_id);
  },
  addOrganization: (pick, moment) => {
    const id = pick(orgs);
    const [key, trail] = [apiKeyOf(pick([7, 8, 9]), { org: id }), someTrail(pick, id, moment)];
    return (host) =>
      host.callers.addOrganization(
        {
          id,
          created_at: moment,
          record_reads: true,
          rotation_policies: [],
          audit_retention_days: null,
          settings_signature: null,
        },
        key,
        trail,
      );
  },
  saveOrganization: (pick, moment) => {
    const [id, record_reads] = [pick(orgs), pick([true, false])];
    const trail = someTrail(pick, id, moment);
    return (host) =>
      host.callers.saveOrganization(
        {
          id,
          created_at: '',
          record_reads,
          rotation_policies: [],
          audit_retention_days: null,
          settings_signature: null,
        },
        trail,
      );
  },
  organizations: () => async (host) => [
    await host.callers.findOrganization(acme),
    await host.callers.listOrganizations(10, undefined),
  ],
  findReplay: (pick) => {
    const key = pick(['k1', 'k2', 'k3']);
    return (host) => host.replays.find('acme/key/k1', key);
  },
};

export const auditOperations: Readonly<Record<string, Make>> = {
  append: (pick, moment) => {
    const event = eventOf({ org: pick(orgs), timestamp: moment, user: pick(['ada', 'bob']) });
    return (host) => host.outbox.append(event);
  },
  record: (pick, moment) => {
    const secrets = [{ name: pick(['a', 'B']), scope: 'org' as const, environment: null }];
    const texts = [1, 2, 3].map(() =>
      eventText(
        eventOf({
          org: pick(orgs),
          timestamp: moment,
          action: 'access',
          secrets,
          run_id: pick(['r1', 'r2']),
        }),
      ),
    );
    const again = pick([texts, texts.slice(1)]);
    return async (host) => {
      await recordAudit(host, texts);
      await recordAudit(host, again);
    };
  },
  loseRace: (pick) => {
    const org = pick(orgs);
    const event = eventOf({ org });
    return async (host) => {
      const head = { sequence: 999, hash: 'stale' };
      const waiting = [{ text: eventText(event), event }];
      const records = linkRecords(head, waiting);
      return host.auditLog.appendAfter(org, head, records, indexBlocks(records, waiting));
    };
  },
  head: (pick) => {
    const org = pick(orgs);
    return (host) => host.auditLog.head(org);
  },
  search: (pick) => {
    const [org, limit] = [pick(orgs), pick([1, 5, 100])];
    const filter = pick<object>([
      {},
      { run_id: 'r1' },
      { secret_name: 'a' },
      { secret_name: 'B', run_id: 'r2' },
    ]);
    return (host) => searchLog(host.auditLog, org, filter, limit, undefined);
  },
  read: (pick) => {
    const [org, from] = [pick(orgs), pick([1, 3, 20])];
    return (host) => host.auditLog.read(org, from, 10);
  },
};

/** Rows in one order, whatever order the store gave them in. */
function sorted<T extends { readonly at: Parameters<typeof coordinatesKey>[0] }>(
  rows: readonly T[],
): unknown {
  const byKey = new Map(
    rows.map((row) => [`${'org' in row ? String(row.org) : ''} ${coordinatesKey(row.at)}`, row]),
  );
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1));
}
