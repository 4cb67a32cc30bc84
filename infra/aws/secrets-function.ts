import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type CfnElement, Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type Grant, statementsOf } from './grants.ts';
import { leaveAsIs, leaveWildcard } from './reasons.ts';
import { metricsNamespace, type Settings } from './settings.ts';
import type { StorageStack } from './storage.ts';

/** What every function of a deployment has in common. */
export interface FunctionContext {
  readonly storage: StorageStack;
  /** The bundled code of each function, by its file below `functions/`. */
  readonly folders: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

export interface FunctionLimits {
  readonly timeout?: Duration;
  /** How many may run at once: where a flood would cost money. 0 is no limit. */
  readonly concurrency?: number;
}

/** A Lambda with a role of its own, which has what its grants say and nothing else. */
export class SecretsFunction extends LambdaFunction {
  readonly grants: readonly Grant[];

  /**
   * @param entry the file below `functions/`, without `.ts`
   */
  constructor(
    scope: Construct,
    entry: string,
    { storage, folders, settings }: FunctionContext,
    grants: readonly Grant[],
    { timeout = Duration.seconds(10), concurrency = 0 }: FunctionLimits = {},
  ) {
    const id = entry.replace('api/', '');
    const folder = folders.get(entry);
    if (folder === undefined) throw new TypeError(`${entry} is not bundled`);
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.SIX_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const statement of statementsOf(grants, storage)) role.addToPolicy(statement);
    logGroup.grantWrite(role);
    super(scope, id, {
      role,
      logGroup,
      code: Code.fromAsset(folder),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 1024,
      timeout,
      tracing: Tracing.ACTIVE,
      ...(concurrency > 0 ? { reservedConcurrentExecutions: concurrency } : {}),
      environment: {
        POWERTOOLS_SERVICE_NAME: id,
        POWERTOOLS_METRICS_NAMESPACE: metricsNamespace(settings),
        FM_TABLE: storage.table.tableName,
        FM_DATA_KEY_ID: storage.dataKey.keyArn,
        FM_SIGNING_KEY_ID: storage.signingKey.keyArn,
        FM_RECOVERY_KEY_ID: storage.recoveryKey.keyArn,
        FM_MAC_KEY_ID: storage.macKey.keyArn,
        FM_CHECKPOINT_BUCKET: storage.checkpoints.bucketName,
        FM_ENVIRONMENTS: settings.environments.join(),
      },
    });
    this.grants = grants;
    leaveAsIs(role, 'tracing');
    if (grants.includes('read-checkpoints'))
      leaveWildcard(
        role,
        storage.checkpointsAsNamed,
        'Every organization has its own checkpoints in the bucket.',
      );
  }
}

/** Who a schedule is when it invokes its function. */
export function schedulerRole(stack: Stack, handler: SecretsFunction): Role {
  const assumedBy = new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
  });
  const role = new Role(stack, `${handler.node.id}Scheduler`, { assumedBy });
  const versions = `<${stack.getLogicalId(handler.node.defaultChild as CfnElement)}.Arn>:*`;
  leaveWildcard(role, versions, 'The CDK lets a schedule invoke its one function in any version.');
  return role;
}
