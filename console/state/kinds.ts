import type { AuditAction, AuditEntry } from '../../shared/contract/audit.ts';

/** Kinds of actions, in the order in which they lie on each other in the timeline. */
export const kinds = ['resolves', 'changes', 'access', 'reads', 'refused'] as const;
export type Kind = (typeof kinds)[number];

/** Every action of the contract: one that is new does not compile until it has a kind. */
const kindOfAction: Readonly<Record<AuditAction, Kind>> = {
  create: 'changes',
  rotate: 'changes',
  unchanged: 'changes',
  rollback: 'changes',
  update: 'changes',
  delete: 'changes',
  restore: 'changes',
  purge: 'changes',
  ack: 'changes',
  snooze: 'changes',
  mark_due: 'changes',
  apply_policy: 'changes',
  remind: 'access',
  access: 'resolves',
  compare: 'reads',
  denied: 'refused',
  start_run: 'access',
  end_run: 'access',
  create_api_key: 'access',
  revoke_api_key: 'access',
  backup: 'access',
  restore_backup: 'access',
  create_organization: 'access',
  update_organization: 'access',
  create_notification: 'access',
  delete_notification: 'access',
  read: 'reads',
  list: 'reads',
  check: 'reads',
  read_history: 'reads',
  read_run: 'reads',
  list_runs: 'reads',
  list_api_keys: 'reads',
  list_notifications: 'reads',
  read_audit: 'reads',
  verify_audit: 'reads',
  export_audit: 'reads',
  expire_audit: 'access',
};

export const actions = Object.keys(kindOfAction) as readonly AuditAction[];

export function kindOf({ action, outcome }: AuditEntry): Kind {
  // A server that is newer than this page may know further actions.
  return outcome === 'success' ? (kindOfAction[action] ?? 'access') : 'refused';
}
