import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { organizationId } from '../../shared/contract/ids.ts';
import { codeOfRejection } from '../testkit/failure.ts';
import type { MakeStores, StoreHost } from './host.ts';
import { acme, acmeTwo, apiKeyOf, at, idsOf, NOW, replayOf, runOf, trailOf } from './samples.ts';

/** CallerStore. */
export function callerStoreSuite(make: MakeStores): void {
  let host: StoreHost;
  const fresh = { last_used_at: null, revoked_at: null };

  beforeEach(async () => {
    host = await make(() => new Date(NOW));
  });
  afterEach(() => host.close());

  describe('CallerStore: API keys', () => {
    it('keeps a key with its trail', async () => {
      const trail = trailOf({ action: 'create_api_key' }, replayOf('k', { answer: null }));
      await host.callers.addApiKey(apiKeyOf(1), trail);
      expect(await host.callers.findApiKey(apiKeyOf(1).id)).toStrictEqual({ ...apiKeyOf(1), ...fresh });
      expect(await host.callers.findApiKey(apiKeyOf(2).id)).toBeNull();
      expect(idsOf(await host.waiting())).toEqual([trail.event.id]);
      expect(await host.replays.find('acme/key/k1', 'k')).toEqual(trail.replay);
    });

    it('keeps no key of a request that was carried out meanwhile, and never one in place of another', async () => {
      await host.callers.addApiKey(apiKeyOf(1), trailOf({}, replayOf('k')));
      const again = host.callers.addApiKey(apiKeyOf(2), trailOf({}, replayOf('k')));
      expect(await codeOfRejection(again)).toBe('idempotency_conflict');
      expect(await host.callers.findApiKey(apiKeyOf(2).id)).toBeNull();
      const twin = host.callers.addApiKey(apiKeyOf(1, { role: 'admin' }), trailOf());
      expect(await codeOfRejection(twin)).toBe('unavailable');
      expect((await host.callers.findApiKey(apiKeyOf(1).id))?.role).toBe('runtime');
      expect(await host.waiting()).toHaveLength(1);
    });

    it('lists the keys of an organization newest first, page by page', async () => {
      const numbers = [1, 2, 3, 4, 5, 6, 7];
      for (const number of numbers) {
        // Two of one moment: the id decides.
        const created_at = number === 4 ? at(3) : at(number);
        await host.callers.addApiKey(apiKeyOf(number, { created_at }), trailOf());
      }
      await host.callers.addApiKey(apiKeyOf(8, { org: acmeTwo }), trailOf({ org: acmeTwo }));
      const listed: string[] = [];
      let after: string | undefined;
      do {
        const page = await host.callers.listApiKeys(acme, 3, after);
        listed.push(...page.items.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      expect(listed).toEqual(numbers.toReversed().map((number) => apiKeyOf(number).id));
      expect(await host.callers.listApiKeys(acme, 7, undefined)).not.toHaveProperty('next');
      expect((await host.callers.listApiKeys(acmeTwo, 3, undefined)).items).toStrictEqual([
        { ...apiKeyOf(8, { org: acmeTwo }), ...fresh },
      ]);
    });

    it('revokes for good, and keeps the first time', async () => {
      await host.callers.addApiKey(apiKeyOf(1), trailOf());
      const { id } = apiKeyOf(1);
      await host.callers.revokeApiKey(acme, id, at(1), trailOf());
      await host.callers.revokeApiKey(acme, id, at(2), trailOf());
      expect((await host.callers.findApiKey(id))?.revoked_at).toBe(at(1));
      expect((await host.callers.listApiKeys(acme, 9, undefined)).items[0]?.revoked_at).toBe(at(1));
      expect(await host.waiting()).toHaveLength(3);
    });

    it('revokes no key of another organization and makes none, but leaves the trail', async () => {
      await host.callers.addApiKey(apiKeyOf(1), trailOf());
      await host.callers.revokeApiKey(acmeTwo, apiKeyOf(1).id, at(1), trailOf());
      await host.callers.revokeApiKey(acme, apiKeyOf(2).id, at(1), trailOf({}, replayOf('k')));
      expect(await host.callers.findApiKey(apiKeyOf(1).id)).toStrictEqual({ ...apiKeyOf(1), ...fresh });
      expect(await host.callers.findApiKey(apiKeyOf(2).id)).toBeNull();
      expect(await host.waiting()).toHaveLength(3);
      const again = host.callers.revokeApiKey(acme, apiKeyOf(1).id, at(1), trailOf({}, replayOf('k')));
      expect(await codeOfRejection(again)).toBe('idempotency_conflict');
      expect((await host.callers.findApiKey(apiKeyOf(1).id))?.revoked_at).toBeNull();
    });

    it('notes that a key was used', async () => {
      await host.callers.addApiKey(apiKeyOf(1), trailOf());
      await host.callers.noteApiKeyUse(apiKeyOf(1).id, at(5));
      await host.callers.noteApiKeyUse(apiKeyOf(2).id, at(5));
      const used = { ...apiKeyOf(1), ...fresh, last_used_at: at(5) };
      expect(await host.callers.findApiKey(apiKeyOf(1).id)).toStrictEqual(used);
      expect((await host.callers.listApiKeys(acme, 9, undefined)).items).toStrictEqual([used]);
      expect(await host.callers.findApiKey(apiKeyOf(2).id)).toBeNull();
    });
  });

  describe('CallerStore: runs', () => {
    it('keeps a run with its trail, apart for each organization', async () => {
      await host.callers.addRun(runOf('r/1'), trailOf({ action: 'start_run' }, replayOf('k')));
      const theirs = runOf('r/1', { org: acmeTwo, token_id: 'theirs' });
      await host.callers.addRun(theirs, trailOf({ org: acmeTwo }));
      expect(await host.callers.findRun(acme, runOf('r/1').run_id)).toStrictEqual(runOf('r/1'));
      expect(await host.callers.findRun(acmeTwo, runOf('r/1').run_id)).toStrictEqual(theirs);
      expect(await host.callers.findRun(acme, runOf('r/2').run_id)).toBeNull();
      expect(await host.waiting()).toHaveLength(2);
    });

    it('refuses an id that is taken, and a request that was carried out meanwhile', async () => {
      await host.callers.addRun(runOf('r1'), trailOf({}, replayOf('k')));
      const twin = runOf('r1', { token_id: 'other' });
      expect(await codeOfRejection(host.callers.addRun(twin, trailOf({}, replayOf('k'))))).toBe('run_exists');
      const again = host.callers.addRun(runOf('r2'), trailOf({}, replayOf('k')));
      expect(await codeOfRejection(again)).toBe('idempotency_conflict');
      expect(await host.callers.findRun(acme, runOf('r1').run_id)).toStrictEqual(runOf('r1'));
      expect(await host.callers.findRun(acme, runOf('r2').run_id)).toBeNull();
      expect(await host.waiting()).toHaveLength(1);
    });

    it('starts a run of an id once, however many try', async () => {
      const tries = Array.from({ length: 10 }, (_, index) =>
        codeOfRejection(host.callers.addRun(runOf('r1', { token_id: `t${index}` }), trailOf())),
      );
      const codes = await Promise.all(tries);
      expect(codes.filter((code) => code === 'run_exists')).toHaveLength(9);
      expect(await host.waiting()).toHaveLength(1);
    });

    it('ends a run, keeps the first time, and leaves the trail in any case', async () => {
      await host.callers.addRun(runOf('r1'), trailOf());
      const { run_id } = runOf('r1');
      await host.callers.endRun(acmeTwo, run_id, at(1), trailOf());
      expect((await host.callers.findRun(acme, run_id))?.ended_at).toBeNull();
      await host.callers.endRun(acme, run_id, at(2), trailOf());
      await host.callers.endRun(acme, run_id, at(3), trailOf({}, replayOf('k')));
      expect(await host.callers.findRun(acme, run_id)).toStrictEqual(runOf('r1', { ended_at: at(2) }));
      expect(await host.callers.findRun(acmeTwo, run_id)).toBeNull();
      expect(await host.waiting()).toHaveLength(4);
      const again = host.callers.endRun(acme, run_id, at(4), trailOf({}, replayOf('k')));
      expect(await codeOfRejection(again)).toBe('idempotency_conflict');
    });
  });

  describe('CallerStore: organizations', () => {
    const organization = {
      id: acme,
      created_at: NOW,
      record_reads: true,
      rotation_policies: [],
      audit_retention_days: null,
      settings_signature: null,
    };

    it('makes an organization with its first key once', async () => {
      await host.callers.addOrganization(organization, apiKeyOf(1), trailOf());
      const again = host.callers.addOrganization(
        { ...organization, created_at: at(1) },
        apiKeyOf(2),
        trailOf(),
      );
      expect(await codeOfRejection(again)).toBe('organization_exists');
      expect(await host.callers.findOrganization(acme)).toStrictEqual(organization);
      expect(await host.callers.findOrganization(acmeTwo)).toBeNull();
      expect(await host.callers.findApiKey(apiKeyOf(1).id)).not.toBeNull();
      expect(await host.callers.findApiKey(apiKeyOf(2).id)).toBeNull();
      expect(await host.waiting()).toHaveLength(1);
    });

    it('writes its settings, and makes none', async () => {
      await host.callers.addOrganization(organization, apiKeyOf(1), trailOf());
      await host.callers.saveOrganization(
        { ...organization, record_reads: false },
        trailOf({}, replayOf('k')),
      );
      await host.callers.saveOrganization({ ...organization, id: acmeTwo }, trailOf());
      expect(await host.callers.findOrganization(acme)).toStrictEqual({
        ...organization,
        record_reads: false,
      });
      expect(await host.callers.findOrganization(acmeTwo)).toBeNull();
      const again = host.callers.saveOrganization(organization, trailOf({}, replayOf('k')));
      expect(await codeOfRejection(again)).toBe('idempotency_conflict');
      expect((await host.callers.findOrganization(acme))?.record_reads).toBe(false);
      expect(await host.waiting()).toHaveLength(3);
    });

    it('lists all by id, page by page', async () => {
      const ids = ['b', 'a', 'c-1', 'c', 'd'].map((id) => organizationId.parse(id));
      for (const [index, id] of ids.entries()) {
        await host.callers.addOrganization({ ...organization, id }, apiKeyOf(index, { org: id }), trailOf());
      }
      const first = await host.callers.listOrganizations(3, undefined);
      expect(first.items.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
      const second = await host.callers.listOrganizations(3, first.next);
      expect(second.items).toStrictEqual(['c-1', 'd'].map((id) => ({ ...organization, id })));
      expect(second).not.toHaveProperty('next');
      expect(await host.callers.listOrganizations(5, undefined)).not.toHaveProperty('next');
    });
  });
}
