import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';

// What of a deployment somebody would want to see change in a review, and nothing that changes by itself.

const template = z.object({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      DeletionPolicy: z.string().optional(),
      Properties: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
});
type Resource = z.infer<typeof template>['Resources'][string];

const statement = z.object({
  Effect: z.string(),
  Action: z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat().sort()),
  Resource: z.unknown(),
  Condition: z.unknown().optional(),
});

/** Of each type the properties that matter; of other types it is enough how many there are. */
const shown: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGatewayV2::Api': ['CorsConfiguration', 'DisableExecuteApiEndpoint'],
  'AWS::ApiGatewayV2::Authorizer': ['AuthorizerResultTtlInSeconds', 'EnableSimpleResponses'],
  'AWS::ApiGatewayV2::DomainName': ['DomainName', 'DomainNameConfigurations'],
  'AWS::ApiGatewayV2::Route': ['RouteKey', 'AuthorizationType'],
  'AWS::ApiGatewayV2::Stage': ['DefaultRouteSettings', 'RouteSettings'],
  'AWS::Backup::BackupPlan': ['BackupPlan'],
  'AWS::Backup::BackupVault': ['LockConfiguration'],
  'AWS::CloudWatch::Alarm': ['Threshold', 'EvaluationPeriods', 'TreatMissingData'],
  'AWS::DynamoDB::Table': [
    'BillingMode',
    'DeletionProtectionEnabled',
    'KeySchema',
    'PointInTimeRecoverySpecification',
    'SSESpecification',
    'StreamSpecification',
    'TimeToLiveSpecification',
  ],
  'AWS::Events::Rule': ['EventPattern'],
  'AWS::KMS::Key': ['EnableKeyRotation', 'KeySpec', 'KeyUsage', 'PendingWindowInDays'],
  'AWS::Lambda::Alias': ['Name'],
  'AWS::Lambda::EventSourceMapping': [
    'BatchSize',
    'BisectBatchOnFunctionError',
    'DestinationConfig',
    'FunctionResponseTypes',
    'MaximumRecordAgeInSeconds',
    'MaximumRetryAttempts',
  ],
  'AWS::Lambda::Url': ['AuthType'],
  'AWS::Logs::LogGroup': ['RetentionInDays'],
  'AWS::Logs::MetricFilter': ['FilterPattern'],
  'AWS::S3::Bucket': ['ObjectLockConfiguration', 'PublicAccessBlockConfiguration', 'VersioningConfiguration'],
  'AWS::SNS::Subscription': ['Endpoint', 'FilterPolicy', 'Protocol'],
  'AWS::SQS::Queue': ['MessageRetentionPeriod', 'SqsManagedSseEnabled'],
  'AWS::Scheduler::Schedule': ['ScheduleExpression'],
};

/** An outline of a deployment's templates: a line for each resource, functions and roles that are alike on one line. */
export function outlineOf(templates: ReadonlyMap<string, Template>): string {
  const stacks = [...templates].map(([stack, made]) => {
    const resources = Object.entries(template.parse(made.toJSON()).Resources);
    const lines = resources.flatMap(([id, resource]) => lineOf(nameOf(id), resource));
    return `# ${stack}\n${[...merged(lines)].sort().join('\n')}\n`;
  });
  return stacks.join('\n');
}

interface Line {
  /** What it is for, where more than one may be alike. */
  readonly name: string;
  readonly text: string;
}

function lineOf(name: string, { Type, DeletionPolicy, Properties }: Resource): Line[] {
  const type = Type.replace('AWS::', '');
  if (Type === 'AWS::Lambda::Function') return [{ name, text: `${type} ${limitsOf(Properties)}` }];
  if (Type === 'AWS::IAM::Policy')
    return [{ name: name.replace('RoleDefaultPolicy', ''), text: `IAM::Policy${policyOf(Properties)}` }];
  const properties = shown[Type];
  if (properties === undefined) return [{ name: '', text: type }];
  const picked = properties.flatMap((one) => (one in Properties ? [[one, Properties[one]] as const] : []));
  const kept = DeletionPolicy === undefined ? '' : ` ${DeletionPolicy}`;
  const isNamed = Type !== 'AWS::ApiGatewayV2::Route';
  return [{ name: isNamed ? name : '', text: `${type}${kept} ${plain(Object.fromEntries(picked))}` }];
}

function limitsOf({
  MemorySize,
  Timeout,
  ReservedConcurrentExecutions,
  Runtime,
  Architectures,
}: Resource['Properties']): string {
  return [
    Runtime,
    plain(Architectures ?? []),
    `${MemorySize ?? 128} MB`,
    `${Timeout ?? 3} s`,
    ...(ReservedConcurrentExecutions === undefined ? [] : [`${ReservedConcurrentExecutions} at once`]),
  ].join(', ');
}

function policyOf({ PolicyDocument }: Resource['Properties']): string {
  const { Statement } = z.object({ Statement: z.array(statement) }).parse(PolicyDocument);
  const lines = Statement.map(({ Effect, Action, Resource: resource, Condition }) => {
    const conditions = Condition === undefined ? '' : ` if ${plain(Condition)}`;
    const on = plain(resource).replace(/^\w+Log\.Arn$/, 'its own log');
    return `\n    ${Effect} ${Action.join(' ')} on ${on}${conditions}`;
  });
  return lines.sort().join('');
}

/** Those with the same text on one line, with their names; those without a name are counted. */
function merged(lines: readonly Line[]): string[] {
  const byText = Map.groupBy(lines, ({ text }) => text);
  return [...byText].map(([text, alike]) => {
    const names = alike.map(({ name }) => name).filter((name) => name !== '');
    if (names.length === 0) return alike.length === 1 ? text : `${text} × ${alike.length}`;
    const [head = '', ...rest] = text.split('\n');
    return [`${head.trim()}: ${[...new Set(names)].sort().join(' ')}`, ...rest].join('\n');
  });
}

/** A value as text, references by the names of what they mean, without hashes. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    const found = z
      .union([
        z.strictObject({ Ref: z.string() }).transform(({ Ref }) => Ref),
        z.strictObject({ 'Fn::GetAtt': z.array(z.string()) }).transform((get) => get['Fn::GetAtt'].join('.')),
        z
          .strictObject({ 'Fn::ImportValue': z.string() })
          .transform((from) => from['Fn::ImportValue'].replace(/^.*:ExportsOutput(?:FnGetAtt|Ref)/, '')),
        z
          .strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) })
          .transform((join) => join['Fn::Join'][1].map(plain).join('')),
      ])
      .safeParse(one);
    return found.success ? nameOf(found.data) : one;
  }).replaceAll(/["\\]/g, '');
}

/** Without the hash that the CDK puts behind a name, so that a rename of a folder changes nothing here. */
function nameOf(id: string): string {
  return id.replaceAll(/(?<=[a-zA-Z])[0-9A-F]{8}(?=$|[^0-9A-Za-z]|Arn|Role)/g, '');
}
