import * as z from 'zod';
import type { Action } from '../shared/access/roles.ts';
import * as access from '../shared/contract/access.ts';
import * as audit from '../shared/contract/audit.ts';
import * as compare from '../shared/contract/compare.ts';
import { selector } from '../shared/contract/coordinates.ts';
import * as notifications from '../shared/contract/notifications.ts';
import * as reminders from '../shared/contract/reminders.ts';
import * as resolve from '../shared/contract/resolve.ts';
import * as rotators from '../shared/contract/rotators.ts';
import type { Route } from '../shared/contract/route.ts';
import * as secrets from '../shared/contract/secrets.ts';
import * as stages from '../shared/contract/stages.ts';
import * as system from '../shared/contract/system.ts';

/** THE table: every route, once. Static paths stand before the patterns that would also match them. */
const none = { params: null, query: null, body: null, output: null, status: 200, paged: false } as const;
const readGrants = ['read', 'write'] as const; // a refusal is recorded, so even a read writes
const writeGrants = ['read', 'write', 'generate-data-key'] as const;
const valueGrants = [...writeGrants, 'fingerprint'] as const;

type Row = Route & { readonly action: Action | 'public' };

export const createSecret = {
  ...none,
  name: 'create-secret',
  method: 'POST',
  path: '/api/v1/secrets',
  summary: 'Store a secret',
  action: 'create',
  body: secrets.createSecretRequest,
  output: secrets.secretMetadata,
  status: 201,
  grants: valueGrants,
} as const satisfies Row;

export const listSecrets = {
  ...none,
  name: 'list-secrets',
  method: 'GET',
  path: '/api/v1/secrets',
  summary: 'List secrets by name, metadata only',
  action: 'read',
  query: secrets.listSecretsQuery,
  output: secrets.secretMetadata,
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const queryAudit = {
  ...none,
  name: 'query-audit',
  method: 'GET',
  path: '/api/v1/secrets/audit',
  summary: 'Who did what, newest first',
  action: 'read_audit',
  query: audit.auditQuery,
  output: audit.auditEntry,
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const verifyAudit = {
  ...none,
  name: 'verify-audit',
  method: 'GET',
  path: '/api/v1/secrets/audit/verify',
  summary: 'Check the audit log against its own chain',
  action: 'read_audit',
  query: audit.verifyAuditQuery,
  output: audit.auditVerification,
  grants: readGrants,
} as const satisfies Row;

export const exportAudit = {
  ...none,
  name: 'export-audit',
  method: 'GET',
  path: '/api/v1/secrets/audit/export',
  summary: 'The whole audit log with its checkpoints, as text',
  action: 'read_audit',
  query: audit.exportAuditQuery,
  output: z.string(),
  media: ['application/jsonl', 'text/csv'],
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const proveAudit = {
  ...none,
  name: 'prove-audit',
  method: 'GET',
  path: '/api/v1/secrets/audit/proof',
  summary: 'Prove that a record is in the log, and that the log only grew',
  action: 'read_audit',
  query: audit.proveAuditQuery,
  output: audit.auditProof,
  grants: readGrants,
} as const satisfies Row;

export const auditPublicKey = {
  ...none,
  name: 'audit-public-key',
  method: 'GET',
  path: '/api/v1/secrets/audit/public-key',
  summary: 'The key that signs the log’s checkpoints',
  action: 'read_audit',
  output: audit.auditPublicKey,
  grants: readGrants,
} as const satisfies Row;

export const compareSecrets = {
  ...none,
  name: 'compare-secrets',
  method: 'POST',
  path: '/api/v1/secrets/compare',
  summary: 'Say what putting these values would meet, storing nothing',
  action: 'compare',
  body: compare.compareRequest,
  output: compare.compareResponse,
  grants: ['read', 'write', 'fingerprint'],
} as const satisfies Row;

export const putSecret = {
  ...none,
  name: 'put-secret',
  method: 'PUT',
  path: '/api/v1/secrets/{name}',
  summary: 'Store a secret, or a new version of it',
  action: 'create',
  params: secrets.namePath,
  body: secrets.putSecretRequest,
  output: secrets.secretMetadata,
  grants: valueGrants,
} as const satisfies Row;

export const describeSecret = {
  ...none,
  name: 'describe-secret',
  method: 'GET',
  path: '/api/v1/secrets/{name}',
  summary: 'What is known of a secret, without its value',
  action: 'read',
  params: secrets.namePath,
  query: selector,
  output: secrets.secretMetadata,
  grants: readGrants,
} as const satisfies Row;

export const secretAccess = {
  ...none,
  name: 'secret-access',
  method: 'GET',
  path: '/api/v1/secrets/{name}/access',
  summary: 'Who may resolve a secret, and who did',
  action: 'manage_api_keys',
  params: secrets.namePath,
  query: access.accessQuery,
  output: access.secretAccess,
  grants: readGrants,
} as const satisfies Row;

export const updateSecret = {
  ...none,
  name: 'update-secret',
  method: 'PATCH',
  path: '/api/v1/secrets/{name}',
  summary: 'Change description, metadata or the rotation period',
  action: 'update',
  params: secrets.namePath,
  query: selector,
  body: secrets.updateSecretRequest,
  output: secrets.secretMetadata,
  grants: writeGrants,
} as const satisfies Row;

export const deleteSecret = {
  ...none,
  name: 'delete-secret',
  method: 'DELETE',
  path: '/api/v1/secrets/{name}',
  summary: 'Stop a secret from resolving, restorable for a while',
  action: 'delete',
  params: secrets.namePath,
  query: secrets.deleteSecretQuery,
  status: 204,
  grants: writeGrants,
} as const satisfies Row;

export const rotateSecret = {
  ...none,
  name: 'rotate-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/rotate',
  summary: 'Store a new version; every pipeline gets it from now on',
  action: 'rotate',
  params: secrets.namePath,
  query: selector,
  body: secrets.rotateSecretRequest,
  output: secrets.secretMetadata,
  grants: valueGrants,
} as const satisfies Row;

export const activateSecret = {
  ...none,
  name: 'activate-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/activate',
  summary: 'Make the pending version current',
  action: 'activate',
  params: secrets.namePath,
  query: selector,
  body: stages.activateSecretRequest,
  output: secrets.secretMetadata,
  grants: valueGrants,
} as const satisfies Row;

export const abandonSecret = {
  ...none,
  name: 'abandon-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/abandon',
  summary: 'Drop the pending version',
  action: 'abandon',
  params: secrets.namePath,
  query: selector,
  body: stages.abandonSecretRequest,
  output: secrets.secretMetadata,
  grants: writeGrants,
} as const satisfies Row;

export const pruneSecret = {
  ...none,
  name: 'prune-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/prune',
  summary: 'Remove versions that are old and many, or list them first',
  action: 'prune',
  params: secrets.namePath,
  query: selector,
  body: stages.pruneSecretRequest,
  output: stages.pruneSecretResponse,
  grants: writeGrants,
} as const satisfies Row;

export const setRotator = {
  ...none,
  name: 'set-rotator',
  method: 'PUT',
  path: '/api/v1/secrets/{name}/rotator',
  summary: 'Say what rotates a secret by itself',
  action: 'manage_rotator',
  params: secrets.namePath,
  query: selector,
  body: rotators.setRotatorRequest,
  output: rotators.rotatorAnswer,
  grants: valueGrants,
} as const satisfies Row;

export const requestRotation = {
  ...none,
  name: 'request-rotation',
  method: 'POST',
  path: '/api/v1/secrets/{name}/rotation',
  summary: 'Start, resume or abandon a rotation by the rotator',
  action: 'rotate',
  params: secrets.namePath,
  query: selector,
  body: rotators.rotationRequest,
  output: secrets.secretMetadata,
  grants: writeGrants,
} as const satisfies Row;

export const rollbackSecret = {
  ...none,
  name: 'rollback-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/rollback',
  summary: 'Make a new version with the value of an old one',
  action: 'rollback',
  params: secrets.namePath,
  query: selector,
  body: secrets.rollbackSecretRequest,
  output: secrets.secretMetadata,
  grants: valueGrants,
} as const satisfies Row;

export const secretHistory = {
  ...none,
  name: 'secret-history',
  method: 'GET',
  path: '/api/v1/secrets/{name}/history',
  summary: 'The versions of a secret, newest first',
  action: 'read',
  params: secrets.namePath,
  query: secrets.historyQuery,
  output: secrets.historyEntry,
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const restoreSecret = {
  ...none,
  name: 'restore-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/restore',
  summary: 'Bring a deleted secret back',
  action: 'restore',
  params: secrets.namePath,
  query: selector,
  output: secrets.secretMetadata,
  grants: writeGrants,
} as const satisfies Row;

export const ackSecret = {
  ...none,
  name: 'ack-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/ack',
  summary: 'Answer a reminder: why it is not rotated now, and no reminder until then',
  action: 'update',
  params: secrets.namePath,
  query: selector,
  body: reminders.ackSecretRequest,
  output: secrets.secretMetadata,
  grants: writeGrants,
} as const satisfies Row;

export const snoozeSecret = {
  ...none,
  name: 'snooze-secret',
  method: 'POST',
  path: '/api/v1/secrets/{name}/snooze',
  summary: 'Put reminders of a secret off for some days',
  action: 'update',
  params: secrets.namePath,
  query: selector,
  body: reminders.snoozeSecretRequest,
  output: secrets.secretMetadata,
  grants: writeGrants,
} as const satisfies Row;

export const resolveConfig = {
  ...none,
  name: 'resolve-config',
  method: 'POST',
  path: '/api/v1/resolve',
  summary: 'Replace every reference of a config by its value',
  action: 'resolve',
  body: resolve.resolveRequest,
  output: resolve.resolveResponse,
  grants: ['read', 'write', 'decrypt'],
} as const satisfies Row;

export const checkConfig = {
  ...none,
  name: 'check-config',
  method: 'POST',
  path: '/api/v1/resolve/check',
  summary: 'Say what a resolve would find, decrypting nothing',
  action: 'check',
  body: resolve.resolveRequest,
  output: resolve.checkResponse,
  grants: readGrants,
} as const satisfies Row;

export const startRun = {
  ...none,
  name: 'start-run',
  method: 'POST',
  path: '/api/v1/runs',
  summary: 'Begin a run and get its token',
  action: 'start_run',
  body: access.startRunRequest,
  output: access.startedRun,
  status: 201,
  grants: ['read', 'write', 'sign'],
} as const satisfies Row;

export const listRuns = {
  ...none,
  name: 'list-runs',
  method: 'GET',
  path: '/api/v1/runs',
  summary: 'Which runs used a secret, newest first',
  action: 'read_audit',
  query: access.listRunsQuery,
  output: access.runUse,
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const describeRun = {
  ...none,
  name: 'describe-run',
  method: 'GET',
  path: '/api/v1/runs/{run_id}',
  summary: 'A run, and which version of which secret it used when',
  action: 'read_run',
  params: access.runPath,
  output: access.runDescription,
  grants: readGrants,
} as const satisfies Row;

export const endRun = {
  ...none,
  name: 'end-run',
  method: 'DELETE',
  path: '/api/v1/runs/{run_id}',
  summary: 'End a run and its token',
  action: 'end_run',
  params: access.runPath,
  status: 204,
  grants: readGrants,
} as const satisfies Row;

export const createApiKey = {
  ...none,
  name: 'create-api-key',
  method: 'POST',
  path: '/api/v1/api-keys',
  summary: 'Make an API key; the key is shown this once',
  action: 'manage_api_keys',
  body: access.createApiKeyRequest,
  output: access.createdApiKey,
  status: 201,
  grants: ['read', 'write', 'sign'],
} as const satisfies Row;

export const listApiKeys = {
  ...none,
  name: 'list-api-keys',
  method: 'GET',
  path: '/api/v1/api-keys',
  summary: 'List the API keys, newest first, without the keys themselves',
  action: 'manage_api_keys',
  query: access.listApiKeysQuery,
  output: access.apiKeyDescription,
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const revokeApiKey = {
  ...none,
  name: 'revoke-api-key',
  method: 'DELETE',
  path: '/api/v1/api-keys/{id}',
  summary: 'Revoke an API key',
  action: 'manage_api_keys',
  params: access.apiKeyPath,
  status: 204,
  grants: readGrants,
} as const satisfies Row;

export const describeCaller = {
  ...none,
  name: 'describe-caller',
  method: 'GET',
  path: '/api/v1/caller',
  summary: 'What this credential is and may',
  action: 'read',
  output: access.callerDescription,
  grants: readGrants,
} as const satisfies Row;

export const describeOrganization = {
  ...none,
  name: 'describe-organization',
  method: 'GET',
  path: '/api/v1/organization',
  summary: 'The settings of the organization',
  action: 'manage_organization',
  output: access.organizationDescription,
  grants: readGrants,
} as const satisfies Row;

export const updateOrganization = {
  ...none,
  name: 'update-organization',
  method: 'PATCH',
  path: '/api/v1/organization',
  summary: 'Change the settings of the organization',
  action: 'manage_organization',
  body: access.updateOrganizationRequest,
  output: access.organizationDescription,
  grants: ['read', 'write', 'sign'],
} as const satisfies Row;

export const createNotification = {
  ...none,
  name: 'create-notification',
  method: 'POST',
  path: '/api/v1/notifications',
  summary: 'Say that somebody gets reminders; keys and paths are shown this once',
  action: 'manage_organization',
  body: notifications.createNotificationRequest,
  output: notifications.createdNotification,
  status: 201,
  grants: writeGrants,
} as const satisfies Row;

export const listNotifications = {
  ...none,
  name: 'list-notifications',
  method: 'GET',
  path: '/api/v1/notifications',
  summary: 'Who gets reminders, newest first',
  action: 'manage_organization',
  output: notifications.notificationDescription,
  paged: true,
  grants: readGrants,
} as const satisfies Row;

export const deleteNotification = {
  ...none,
  name: 'delete-notification',
  method: 'DELETE',
  path: '/api/v1/notifications/{id}',
  summary: 'End somebody’s reminders, or a calendar’s feed',
  action: 'manage_organization',
  params: notifications.notificationPath,
  status: 204,
  grants: readGrants,
} as const satisfies Row;

export const readCalendar = {
  ...none,
  name: 'read-calendar',
  method: 'GET',
  path: '/api/v1/calendar/{file}',
  summary: 'A calendar of what is to be rotated; the token in its name is the credential',
  action: 'public',
  params: notifications.calendarPath,
  output: notifications.calendarFeed,
  paged: true,
  media: ['text/calendar'],
  grants: readGrants,
} as const satisfies Row;

export const health = {
  ...none,
  name: 'health',
  method: 'GET',
  path: '/health',
  summary: 'Whether the service can serve',
  action: 'public',
  output: system.health,
  grants: ['read'],
} as const satisfies Row;

export const openapi = {
  ...none,
  name: 'openapi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'This API as an OpenAPI 3.1 document',
  action: 'public',
  output: system.openapiDocument,
  grants: [],
} as const satisfies Row;

export const routes: readonly Row[] = [
  createSecret,
  listSecrets,
  queryAudit,
  verifyAudit,
  exportAudit,
  proveAudit,
  auditPublicKey,
  compareSecrets,
  putSecret,
  describeSecret,
  secretAccess,
  updateSecret,
  deleteSecret,
  rotateSecret,
  activateSecret,
  abandonSecret,
  pruneSecret,
  setRotator,
  requestRotation,
  rollbackSecret,
  secretHistory,
  restoreSecret,
  ackSecret,
  snoozeSecret,
  resolveConfig,
  checkConfig,
  startRun,
  listRuns,
  describeRun,
  endRun,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  describeCaller,
  describeOrganization,
  updateOrganization,
  createNotification,
  listNotifications,
  deleteNotification,
  readCalendar,
  health,
  openapi,
];
