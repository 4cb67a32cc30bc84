import { beforeAll, describe, expect, it } from 'vitest';
import { deployedFunctions } from '../../infra/aws/deployment.ts';
import type { Grant } from '../../infra/aws/grants.ts';
import { environmentName } from '../../shared/contract/ids.ts';
import { RECIPIENTS } from '../../shared/reminders/recipient-secret.ts';
import { allows, rolesOf, type Statement, templatesOf } from './template-reader.ts';

// What IAM says when our own checks say nothing: each function is taken to be somebody else's, with its role.

let roles: ReadonlyMap<string, readonly Statement[]>;
beforeAll(() => {
  roles = rolesOf(templatesOf({ stage: 'test' }));
}, 300_000);

const may = (entry: string, action: string, ...keys: string[]) =>
  allows(roles.get(entry) ?? [], action, keys);
/** The functions whose role may do that. */
const whoMay = (action: string, ...keys: string[]) =>
  [...roles.keys()].filter((entry) => may(entry, action, ...keys));
const having = (...grants: Grant[]) =>
  [...deployedFunctions]
    .filter(([, own]) => grants.some((grant) => own.includes(grant)))
    .map(([entry]) => entry);

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].map((name) => `dynamodb:${name}`);
const READS = ['GetItem', 'BatchGetItem', 'Query'].map((name) => `dynamodb:${name}`);

describe('a role', () => {
  it('unwraps data keys of secrets where values are resolved or rotated', () => {
    const opening = ['api/resolve-config', 'resolve', 'tend-secrets'];
    expect(whoMay('kms:Decrypt').sort()).toEqual(opening);
  });

  it('that sends reminders unwraps those of webhooks, and none of a secret', () => {
    const opens = (environment: string) =>
      allows(roles.get('remind-rotation') ?? [], 'kms:Decrypt', [], { environment });
    expect(opens(RECIPIENTS)).toBe(true);
    for (const environment of ['', 'production', 'recipients', '#recipients2'])
      expect(opens(environment), environment).toBe(false);
    expect(environmentName.safeParse(RECIPIENTS).success).toBe(false);
  });

  it('has of KMS what its grants say', () => {
    expect(whoMay('kms:GenerateDataKey')).toEqual(having('generate-data-key'));
    expect(whoMay('kms:Encrypt')).toEqual(having('generate-data-key'));
    expect(whoMay('kms:Sign')).toEqual(having('sign'));
    expect(whoMay('kms:GenerateMac')).toEqual(having('fingerprint'));
    for (const action of [
      'kms:ReEncryptFrom',
      'kms:CreateGrant',
      'kms:ScheduleKeyDeletion',
      'kms:PutKeyPolicy',
      'kms:VerifyMac',
    ])
      expect(whoMay(action), action).toEqual([]);
  });

  it('that seals cannot open: it reads no wrapped data key', () => {
    const opening = having('decrypt', 'open-recipients').sort();
    for (const action of READS) expect(whoMay(action, 'org#acme#data-keys').sort(), action).toEqual(opening);
  });

  it('that lists, describes, checks or audits holds no key that opens or makes anything', () => {
    for (const entry of [
      'api/list-secrets',
      'api/describe-secret',
      'api/check-config',
      'api/query-audit',
      'record-audit',
    ])
      for (const action of ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:Encrypt', 'kms:Sign'])
        expect(may(entry, action), `${entry} ${action}`).toBe(false);
  });

  it('changes the audit log only where it is the recorder’s or the expiry’s', () => {
    for (const action of WRITES)
      for (const key of ['org#acme#audit', 'org#acme#recorded#e1', 'org#acme#index#action#access'])
        expect(whoMay(action, key), `${action} ${key}`).toEqual(
          having('append-audit').filter((entry) => may(entry, action)),
        );
    expect(having('append-audit').sort()).toEqual(['expire-audit', 'record-audit', 'sweep-outbox']);
  });

  it('makes or changes API keys, secrets and data keys only where its route does', () => {
    for (const action of WRITES) {
      const writers = (...grants: Grant[]) => having(...grants).filter((entry) => may(entry, action));
      expect(whoMay(action, 'api-key#k1')).toEqual(writers('change-api-keys'));
      expect(whoMay(action, 'org#acme#secrets')).toEqual(writers('generate-data-key', 'change-secrets'));
      expect(whoMay(action, 'org#acme#versions#db#org##')).toEqual(
        writers('generate-data-key', 'change-secrets'),
      );
      expect(whoMay(action, 'org#acme#data-keys')).toEqual(writers('generate-data-key'));
    }
  });

  it('hides nothing behind another partition of the same request', () => {
    expect(may('api/list-secrets', 'dynamodb:BatchGetItem', 'org#acme#secrets', 'org#acme#data-keys')).toBe(
      false,
    );
  });

  it('scans nothing, drops nothing, exports nothing, and has no action with a star', () => {
    for (const action of [
      'Scan',
      'DeleteTable',
      'ExportTableToPointInTime',
      'PartiQLSelect',
      'UpdateTable',
      'RestoreTableFromBackup',
    ])
      expect(whoMay(`dynamodb:${action}`), action).toEqual([]);
    for (const [entry, statements] of roles)
      for (const { Action, Effect } of statements)
        if (Effect === 'Allow') expect(Action.join(), entry).not.toContain('*');
  });

  it('that IAM cannot keep within one organization is kept there by the code alone, as docs/operations-aws.md says', () => {
    expect(may('api/list-secrets', 'dynamodb:Query', 'org#other#secrets')).toBe(true);
  });
});
