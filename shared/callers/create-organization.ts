import { type CallerStore, organizationExists } from '../access/caller-store.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';
import type { KeyService } from '../envelope/key-service.ts';
import { makeApiKey } from './create-api-key.ts';

interface Needs {
  readonly callers: Pick<CallerStore<Trail>, 'addOrganization' | 'findOrganization'>;
  readonly keyService: Pick<KeyService, 'sign'>;
  readonly now: () => Date;
  readonly newId: () => string;
}

/**
 * Makes an organization and its first admin key. For whoever has the store itself; no route leads here.
 * @param deliver gets the key, before it is in force: a crash between the two leaves a key that opens nothing,
 *   and not an organization that nobody can enter
 * @throws SecretsError `organization_exists`, `unavailable`
 */
export async function createOrganization(
  needs: Needs,
  id: OrganizationId,
  deliver: (key: string) => void,
): Promise<void> {
  // Asked first, so that no key is shown of an organization that is another's already.
  if ((await needs.callers.findOrganization(id)) !== null) throw organizationExists();
  const now = needs.now();
  const created_at = now.toISOString();
  const { record, key } = await makeApiKey(
    needs,
    id,
    { name: 'first admin key', role: 'admin' },
    'fm admin',
    now,
  );
  const event: AuditEvent = {
    id: needs.newId(),
    org: id,
    timestamp: created_at,
    action: 'create_organization',
    outcome: 'success',
    secrets: [],
    about: id,
    reason: `organization ${id} with admin key ${record.id}`,
  };
  deliver(key);
  const settings = { record_reads: true, rotation_policies: [], audit_retention_days: null };
  await needs.callers.addOrganization({ id, created_at, ...settings, settings_signature: null }, record, {
    event,
    replay: null,
  });
}
