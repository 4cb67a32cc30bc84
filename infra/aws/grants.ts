import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Grant as RouteGrant } from '../../shared/contract/route.ts';
import { RECIPIENTS } from '../../shared/reminders/recipient-secret.ts';
import type { StorageStack } from './storage.ts';

/**
 * What a function may touch: what a route asks for, and what only some functions do. `write` alone lets a function
 * leave events and answers; what else it changes it must say.
 */
export type Grant =
  | RouteGrant
  | 'open-recipients'
  | 'public-key'
  | 'read-checkpoints'
  | 'write-checkpoints'
  | 'notify'
  | 'append-audit'
  | 'change-api-keys'
  | 'change-secrets';

const READS = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const WRITES = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:ConditionCheckItem',
];

/**
 * Partitions that only some may use, by shared/aws/table-layout.ts. A deny holds whatever else a role is given.
 * Which organization's they are IAM cannot say: one function serves them all.
 */
const guarded: readonly { readonly by: readonly Grant[]; readonly actions: string[]; keys: string[] }[] = [
  {
    by: ['append-audit'],
    actions: WRITES,
    keys: ['org#*#audit', 'org#*#recorded#*', 'org#*#index#*'],
  },
  { by: ['change-api-keys'], actions: WRITES, keys: ['api-key#*'] },
  {
    by: ['generate-data-key', 'change-secrets'],
    actions: WRITES,
    keys: ['org#*#secrets', 'org#*#versions#*'],
  },
  { by: ['generate-data-key'], actions: WRITES, keys: ['org#*#data-keys'] },
  { by: ['decrypt', 'open-recipients'], actions: READS, keys: ['org#*#data-keys'] },
];

/** The statements of a role that has these grants and nothing else. */
export function statementsOf(grants: readonly Grant[], storage: StorageStack): PolicyStatement[] {
  const usesTable = grants.includes('read') || grants.includes('write');
  const denied = guarded
    .filter(({ by }) => usesTable && !by.some((grant) => grants.includes(grant)))
    .map(({ actions, keys }) => denial(actions, keys, storage));
  return [...grants.flatMap((grant) => allowed(grant, storage)), ...denied];
}

function denial(actions: string[], keys: string[], { table }: StorageStack): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.DENY,
    actions,
    resources: [table.tableArn],
    conditions: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': keys } },
  });
}

function allowed(
  grant: Grant,
  { table, dataKey, recoveryKey, signingKey, macKey, checkpoints }: StorageStack,
): PolicyStatement[] {
  const allow = (actions: string[], ...resources: string[]) => [
    new PolicyStatement({ effect: Effect.ALLOW, actions, resources }),
  ];
  switch (grant) {
    case 'read':
      return allow(READS, table.tableArn, `${table.tableArn}/index/listing`);
    case 'write':
      return allow(WRITES, table.tableArn);
    case 'generate-data-key':
      // Under the recovery key to encrypt, and never to decrypt: only who restores may.
      return [
        ...allow(['kms:GenerateDataKey'], dataKey.keyArn),
        ...allow(['kms:Encrypt'], recoveryKey.keyArn),
      ];
    case 'decrypt':
      return allow(['kms:Decrypt'], dataKey.keyArn);
    case 'open-recipients':
      // What is wrapped under another context does not open under this one, whoever asks.
      return allow(['kms:Decrypt'], dataKey.keyArn).map((statement) => {
        statement.addCondition('StringEquals', { 'kms:EncryptionContext:environment': RECIPIENTS });
        return statement;
      });
    case 'sign':
      return allow(['kms:Sign'], signingKey.keyArn);
    case 'fingerprint':
      return allow(['kms:GenerateMac'], macKey.keyArn);
    case 'public-key':
      return allow(['kms:GetPublicKey'], signingKey.keyArn);
    case 'read-checkpoints':
      return allow(['s3:GetObject', 's3:ListBucket'], checkpoints.bucketArn, checkpoints.arnForObjects('*'));
    case 'write-checkpoints':
      return allow(['s3:PutObject'], checkpoints.arnForObjects('*'));
    // The stack of reminders has the topic and the sender.
    case 'notify':
    case 'append-audit':
    case 'change-api-keys':
    case 'change-secrets':
      return [];
  }
}
