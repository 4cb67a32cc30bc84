import type { CallerStore } from '../access/caller-store.ts';
import { type CheckpointNeeds, checkpointAudit } from '../audit/checkpoint-audit.ts';
import type { Trail } from '../audit/outbox.ts';
import type { OrganizationId } from '../contract/ids.ts';

interface Needs extends CheckpointNeeds {
  readonly callers: Pick<CallerStore<Trail>, 'listOrganizations' | 'findOrganization'>;
}

const BATCH = 100;

/** What a round of checkpoints came to: how many were made, and which organizations' logs are broken. */
export interface CheckpointRound {
  readonly made: number;
  readonly broken: readonly {
    readonly org: OrganizationId;
    readonly sequence: number;
    readonly reason: string;
  }[];
}

/** Makes a checkpoint for each organization whose log has grown. @throws SecretsError `unavailable` */
export async function checkpointOrganizations(needs: Needs): Promise<CheckpointRound> {
  let made = 0;
  const broken: CheckpointRound['broken'][number][] = [];
  let after: string | undefined;
  do {
    const page = await needs.callers.listOrganizations(BATCH, after);
    for (const { id: org } of page.items) {
      const result = await checkpointAudit(needs, org);
      if (result === null) continue;
      if ('reason' in result) broken.push({ org, sequence: result.sequence, reason: result.reason });
      else made += 1;
    }
    after = page.next;
  } while (after !== undefined);
  return { made, broken };
}
