import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Duration, RemovalPolicy } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Grant as RouteGrant } from '../../shared/contract/route.ts';
import type { StorageStack } from './storage.ts';

/** What a function may touch: what a route asks for, and what only functions without a route do. */
export type Grant = RouteGrant | 'public-key' | 'read-checkpoints' | 'write-checkpoints';

export interface SecretsFunctionProps {
  readonly storage: StorageStack;
  /** The bundled code. */
  readonly folder: string;
  readonly grants: readonly Grant[];
  /** The environments that this deployment knows. */
  readonly environments: readonly string[];
  readonly timeout?: Duration;
}

const READS = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const WRITES = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:ConditionCheckItem',
];

/** A Lambda with a role of its own, which has what `grants` says and nothing else. */
export class SecretsFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: SecretsFunctionProps) {
    const { storage, folder, grants, environments, timeout = Duration.seconds(10) } = props;
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.SIX_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const statement of grants.flatMap((grant) => statementsOf(grant, storage)))
      role.addToPolicy(statement);
    logGroup.grantWrite(role);
    super(scope, id, {
      role,
      logGroup,
      code: Code.fromAsset(folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout,
      tracing: Tracing.ACTIVE,
      environment: {
        FM_TABLE: storage.table.tableName,
        FM_DATA_KEY_ID: storage.dataKey.keyArn,
        FM_SIGNING_KEY_ID: storage.signingKey.keyArn,
        FM_RECOVERY_KEY_ID: storage.recoveryKey.keyArn,
        FM_MAC_KEY_ID: storage.macKey.keyArn,
        FM_CHECKPOINT_BUCKET: storage.checkpoints.bucketName,
        FM_ENVIRONMENTS: environments.join(),
      },
    });
  }
}

function statementsOf(
  grant: Grant,
  { table, dataKey, recoveryKey, signingKey, macKey, checkpoints }: StorageStack,
): PolicyStatement[] {
  const allow = (actions: string[], ...resources: string[]) =>
    new PolicyStatement({ effect: Effect.ALLOW, actions, resources });
  switch (grant) {
    case 'read':
      return [allow(READS, table.tableArn, `${table.tableArn}/index/listing`)];
    case 'write':
      return [allow(WRITES, table.tableArn)];
    case 'generate-data-key':
      return [
        allow(['kms:GenerateDataKey'], dataKey.keyArn),
        // To encrypt, and never to decrypt: only who restores may.
        allow(['kms:Encrypt'], recoveryKey.keyArn),
      ];
    case 'decrypt':
      return [allow(['kms:Decrypt'], dataKey.keyArn)];
    case 'sign':
      return [allow(['kms:Sign'], signingKey.keyArn)];
    case 'fingerprint':
      return [allow(['kms:GenerateMac'], macKey.keyArn)];
    case 'public-key':
      return [allow(['kms:GetPublicKey'], signingKey.keyArn)];
    case 'read-checkpoints':
      return [
        allow(['s3:GetObject', 's3:ListBucket'], checkpoints.bucketArn, checkpoints.arnForObjects('*')),
      ];
    case 'write-checkpoints':
      return [allow(['s3:PutObject'], checkpoints.arnForObjects('*'))];
  }
}
