import type { CallerStore } from '../access/caller-store.ts';
import type { Trail } from '../audit/outbox.ts';
import { verifyWhole, type WholeNeeds } from '../audit/verify-audit.ts';
import type { OrganizationId } from '../contract/ids.ts';

interface Needs extends WholeNeeds {
  readonly callers: WholeNeeds['callers'] & Pick<CallerStore<Trail>, 'listOrganizations'>;
}

/** What is not what it was, and which organization's record says so. */
interface Finding {
  readonly org: OrganizationId;
  readonly sequence: number;
  readonly reason: string;
}

const BATCH = 100;

/** Verifies each organization's log from its beginning to its end. @throws SecretsError `unavailable` */
export async function* verifyOrganizations(needs: Needs): AsyncGenerator<Finding, void> {
  let after: string | undefined;
  do {
    const page = await needs.callers.listOrganizations(BATCH, after);
    for (const { id: org } of page.items) {
      const whole = { from: 0, root: null, isEnough: () => false };
      const { first_bad, stale = [] } = await verifyWhole(needs, org, whole);
      for (const found of first_bad === undefined ? stale : [first_bad]) yield { org, ...found };
    }
    after = page.next;
  } while (after !== undefined);
}
