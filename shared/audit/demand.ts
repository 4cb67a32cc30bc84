import type { Caller } from '../access/caller.ts';
import { type Action, allows, mayEver } from '../access/roles.ts';
import type { Coordinates } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import { auditedSecret, eventOf, type Happening } from './event.ts';
import type { AuditOutbox } from './outbox.ts';

export interface DemandNeeds {
  readonly outbox: AuditOutbox;
  readonly now: () => Date;
  readonly newId: () => string;
}

/**
 * The door of every use-case: goes on when the caller may do this, else records the attempt and refuses.
 * @param target the secret, when there is one
 * @throws SecretsError `forbidden`; `unavailable` when the attempt could not be recorded
 */
export async function demand(
  needs: DemandNeeds,
  caller: Caller,
  action: Action,
  target?: Coordinates,
): Promise<void> {
  if (allows(caller, action, target)) return;
  const secrets = target === undefined ? [] : [auditedSecret(target)];
  throw await refusal(needs, caller, action, reasonOf(caller, action), { secrets });
}

/** Records a refused attempt and makes the error to throw. */
export async function refusal(
  needs: DemandNeeds,
  caller: Caller,
  attempted: Action,
  reason: string,
  more: Partial<Happening> = {},
): Promise<SecretsError> {
  await needs.outbox.append(
    eventOf(needs, caller, { action: 'denied', outcome: 'denied', attempted, reason, ...more }),
  );
  return new SecretsError('forbidden', reason);
}

function reasonOf(caller: Caller, action: Action): string {
  const what = action.replaceAll('_', ' ');
  if (caller.kind === 'run') return `A run token may not ${what} here.`;
  if (!mayEver(caller.role, action))
    return `A key of role ${caller.role} may not ${what}. Use a key of another role.`;
  return `This key is bound to pipelines or environments, and may not ${what} beyond them.`;
}
