import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { tableLayout } from '../../shared/aws/table-layout.ts';
import { leaveAsIs } from './reasons.ts';
import type { Settings } from './settings.ts';

export interface StorageProps extends StackProps {
  readonly settings: Settings;
}

const PENDING_WINDOW = Duration.days(30);

/** What is kept: the table, the keys, and the bucket of checkpoints, where nothing is changed or deleted. */
export class StorageStack extends Stack {
  readonly table: Table;
  /** Wraps data keys. */
  readonly dataKey: Key;
  /** Data keys are wrapped for it a second time; nothing here may decrypt with it. */
  readonly recoveryKey: IKey;
  /** Signs API keys, run tokens and checkpoints. */
  readonly signingKey: Key;
  /** Makes fingerprints of values. */
  readonly macKey: Key;
  readonly checkpoints: Bucket;
  /** The bucket's objects as cdk-nag names them, in another stack than this. */
  readonly checkpointsAsNamed = `${this.stackName}:ExportsOutputFnGetAttCheckpoints620E2F20ArnC494AD10/*`;
  /** All of them, the recovery key only when it is here. */
  readonly keys: readonly IKey[];

  constructor(scope: Construct, id: string, { settings, ...props }: StorageProps) {
    super(scope, id, props);
    const { retain, recoveryKeyArn, checkpointDays } = settings;
    const removalPolicy = retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const key = { pendingWindow: PENDING_WINDOW, removalPolicy };
    this.dataKey = new Key(this, 'DataKey', {
      ...key,
      description: 'FlowMason Secrets: wraps data keys',
      enableKeyRotation: true,
    });
    this.signingKey = new Key(this, 'SigningKey', {
      ...key,
      description: 'FlowMason Secrets: signs API keys, run tokens and checkpoints',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
    });
    this.recoveryKey =
      recoveryKeyArn === undefined
        ? new Key(this, 'RecoveryKey', {
            ...key,
            description: 'FlowMason Secrets: opens data keys when their own key is gone',
            enableKeyRotation: true,
          })
        : Key.fromKeyArn(this, 'RecoveryKey', recoveryKeyArn);
    this.macKey = new Key(this, 'MacKey', {
      ...key,
      description: 'FlowMason Secrets: makes fingerprints of values',
      keySpec: KeySpec.HMAC_256,
      keyUsage: KeyUsage.GENERATE_VERIFY_MAC,
    });
    const tableKey = new Key(this, 'TableKey', {
      ...key,
      description: 'FlowMason Secrets: the table and the bucket at rest',
      enableKeyRotation: true,
    });
    this.keys = [this.dataKey, this.signingKey, this.macKey, this.recoveryKey, tableKey].filter(
      (one) => one instanceof Key,
    );
    tableKey.addToResourcePolicy(usedThrough(this, 'dynamodb', 's3'));
    this.table = this.#makeTable(tableKey, retain, removalPolicy);
    this.checkpoints = new Bucket(this, 'Checkpoints', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.KMS,
      encryptionKey: tableKey,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(checkpointDays)),
      removalPolicy,
    });
    leaveAsIs(this.checkpoints, 'noAccessLog');
    // What `fm admin` needs to know, as the functions' own environment says it.
    const outputs = {
      TableName: this.table.tableName,
      DataKeyArn: this.dataKey.keyArn,
      RecoveryKeyArn: this.recoveryKey.keyArn,
      SigningKeyArn: this.signingKey.keyArn,
      MacKeyArn: this.macKey.keyArn,
      CheckpointBucket: this.checkpoints.bucketName,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  #makeTable(encryptionKey: Key, deletionProtection: boolean, removalPolicy: RemovalPolicy): Table {
    const { partitionKey, sortKey, timeToLive, index } = tableLayout;
    const text = (name: string) => ({ name, type: AttributeType.STRING });
    const table = new Table(this, 'Table', {
      partitionKey: text(partitionKey),
      sortKey: text(sortKey),
      timeToLiveAttribute: timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      stream: StreamViewType.NEW_IMAGE,
      deletionProtection,
      removalPolicy,
    });
    table.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: text(index.partitionKey),
      sortKey: text(index.sortKey),
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: [...index.attributes],
    });
    return table;
  }
}

/**
 * Lets whoever may use the table or the bucket use their key, through them alone: so no role needs a right to
 * decrypt for that, and a role that has one is a role that opens secrets.
 */
function usedThrough(stack: Stack, ...services: string[]): PolicyStatement {
  return new PolicyStatement({
    actions: [
      'kms:Encrypt',
      'kms:Decrypt',
      'kms:ReEncrypt*',
      'kms:GenerateDataKey*',
      'kms:DescribeKey',
      'kms:CreateGrant',
    ],
    principals: [new AnyPrincipal()],
    resources: ['*'],
    conditions: {
      StringEquals: {
        'kms:CallerAccount': stack.account,
        'kms:ViaService': services.map((service) => `${service}.${stack.region}.amazonaws.com`),
      },
    },
  });
}
