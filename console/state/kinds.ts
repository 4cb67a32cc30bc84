import type { AuditAction, AuditEntry } from '../../shared/contract/audit.ts';

/** Every action of the contract: console/build.ts puts it here, since the schema itself would be half of the script. */
declare const AUDIT_ACTIONS: readonly AuditAction[];
export const actions = AUDIT_ACTIONS;

/** Kinds of actions, in the order in which they lie on each other in the timeline. */
export const kinds = ['resolves', 'changes', 'upkeep', 'reads', 'refused'] as const;
export type Kind = (typeof kinds)[number];

const upkeep: readonly AuditAction[] = [
  ...([
    'start_run',
    'end_run',
    'create_api_key',
    'revoke_api_key',
    'backup',
    'restore_backup',
    'rotate_root_key',
    'rewrap',
    'reseal',
    'shred',
  ] as const),
  ...(['create_organization', 'update_organization', 'create_notification', 'delete_notification'] as const),
  ...(['remind', 'expire_audit'] as const),
];
const reads = /^(read|list|check|verify|export|compare)(_|$)/;

export function kindOf({ action, outcome }: AuditEntry): Kind {
  if (outcome !== 'success' || action === 'denied') return 'refused';
  if (action === 'access') return 'resolves';
  if (upkeep.includes(action)) return 'upkeep';
  return reads.test(action) ? 'reads' : 'changes';
}
