import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { leaveAsIs } from './reasons.ts';
import type { Settings } from './settings.ts';
import type { StorageStack } from './storage.ts';

export interface BackupProps extends StackProps {
  readonly storage: StorageStack;
  readonly settings: Settings;
}

/** Who is in a hurry to lock a vault for good cannot take it back: three days are left to think. */
const COOLING_OFF = Duration.days(3);

/**
 * Daily backups of the table, in a vault under a key of its own, which nobody can empty. What is in them opens by
 * the table's data key, or when that is gone by the recovery key.
 */
export class BackupStack extends Stack {
  readonly vault: BackupVault;
  readonly key: Key;

  constructor(scope: Construct, id: string, { storage, settings, ...props }: BackupProps) {
    super(scope, id, props);
    const removalPolicy = settings.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.key = new Key(this, 'VaultKey', {
      description: 'FlowMason Secrets: backups at rest',
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy,
    });
    const keep = Duration.days(settings.backupDays);
    this.vault = new BackupVault(this, 'Vault', {
      encryptionKey: this.key,
      removalPolicy,
      lockConfiguration: {
        minRetention: keep,
        // A lock for good only where the backups are to be kept: it outlives the stack.
        ...(settings.retain ? { changeableFor: COOLING_OFF } : {}),
      },
    });
    const copy = settings.backupCopyVaultArn;
    const elsewhere =
      copy === undefined
        ? []
        : [
            {
              destinationBackupVault: BackupVault.fromBackupVaultArn(this, 'CopyVault', copy),
              deleteAfter: keep,
            },
          ];
    const plan = new BackupPlan(this, 'Plan', { backupVault: this.vault });
    plan.addRule(
      new BackupPlanRule({
        ruleName: 'daily',
        scheduleExpression: Schedule.cron({ hour: '3', minute: '0' }),
        deleteAfter: keep,
        copyActions: elsewhere,
      }),
    );
    if (settings.emulated) return;
    const selection = plan.addSelection('Table', {
      resources: [BackupResource.fromDynamoDbTable(storage.table)],
    });
    leaveAsIs(selection, 'backupPolicy');
  }
}
