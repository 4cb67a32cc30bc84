import { describe, expect, it } from 'vitest';
import type { OrganizationRecord } from '../../../shared/access/caller-store.ts';
import { provenSettings, settingsMessage } from '../../../shared/access/organization-settings.ts';
import { organizationId } from '../../../shared/contract/ids.ts';
import { SignatureVerifier } from '../../../shared/envelope/signature.ts';
import { throwawayKeyring } from '../../testkit/key-service.ts';

const keyring = throwawayKeyring();
const signatures = new SignatureVerifier(keyring);
const safest = { record_reads: true, audit_retention_days: null };
const unsigned: OrganizationRecord = {
  ...{ id: organizationId.parse('acme'), created_at: '2026-01-31T12:00:00.000Z', rotation_policies: [] },
  ...{ ...safest, settings_signature: null },
};

/** An organization whose settings were signed as they are. */
async function signed(fields: Partial<OrganizationRecord>): Promise<OrganizationRecord> {
  const organization = { ...unsigned, ...fields };
  const signature = await keyring.sign('organization', settingsMessage(organization));
  return { ...organization, settings_signature: Buffer.from(signature).toString('base64') };
}

describe('the settings of an organization', () => {
  it('are signed as its id, whether reads are recorded, and the days', () => {
    const message = settingsMessage({ ...unsigned, record_reads: false, audit_retention_days: 60 });
    expect(message.toString()).toBe('["acme",false,60]');
  });

  it.each([
    { record_reads: false, audit_retention_days: null },
    { record_reads: true, audit_retention_days: 60 },
    { record_reads: false, audit_retention_days: 60 },
    safest,
  ])('are what was signed: %j', async (settings) => {
    expect(await provenSettings(signatures, await signed(settings))).toEqual(settings);
  });

  it('are the safest of an organization that is not there, or never set any', async () => {
    expect(await provenSettings(signatures, null)).toEqual(safest);
    expect(await provenSettings(signatures, unsigned)).toEqual(safest);
  });

  it.each([
    ['no signature', { settings_signature: null }],
    ['an empty one', { settings_signature: '' }],
    ['one of other settings', { audit_retention_days: 61 }],
    ['one of another organization', { id: organizationId.parse('rival') }],
    ['one that reads are recorded', { record_reads: true }],
  ])('are the safest with %s', async (_what, fields) => {
    const forged = { ...(await signed({ record_reads: false, audit_retention_days: 60 })), ...fields };
    expect(await provenSettings(signatures, forged)).toEqual(safest);
  });

  it('need no signature to be the safest, and no question of one', async () => {
    const refusing = { verifies: () => Promise.reject(new TypeError('asked')) };
    expect(await provenSettings(refusing, { ...unsigned, settings_signature: 'anything' })).toEqual(safest);
  });
});
