import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { stages, templatesOfStage } from './stages.ts';
import { installCfnGuard, installCfnLint } from './tools.ts';

// What others' rules, and ours in infra/aws/rules.guard, find in the templates of each stage.

const template = z.object({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.json()) }),
  ),
});
type Resource = z.infer<typeof template>['Resources'][string];
const checked = z.array(
  z.object({ not_compliant: z.array(z.object({ Rule: z.object({ name: z.string() }) })) }),
);
type Json = z.infer<ReturnType<typeof z.json>>;

const root = join(import.meta.dirname, '../..');
const rules = readFileSync(join(root, 'infra/aws/rules.guard'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'fm-rules-'));
let guard = '';
let lint = '';
/** By stage and stack. */
const templates = new Map<string, string>();

beforeAll(() => {
  guard = installCfnGuard();
  lint = join(installCfnLint(), 'bin/cfn-lint');
  for (const stage of Object.keys(stages))
    for (const [stack, made] of templatesOfStage(stage))
      templates.set(`${stage}-${stack}`, JSON.stringify(made.toJSON()));
}, 300_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The names of the rules that these templates do not keep. */
function broken(data: readonly string[]): string[] {
  const options = ['validate', '--payload', '--structured', '-o', 'json', '-S', 'none'];
  const input = JSON.stringify({ rules: [rules], data });
  const { stdout, stderr } = spawnSync(guard, options, { input, encoding: 'utf8', maxBuffer: 1e9 });
  if (stdout === '') throw new Error(`cfn-guard: ${stderr}`);
  const found = checked.parse(JSON.parse(stdout));
  return [
    ...new Set(found.flatMap(({ not_compliant }) => not_compliant.map(({ Rule }) => Rule.name))),
  ].sort();
}

const ofStage = (stage: string) =>
  [...templates].filter(([name]) => name.startsWith(`${stage}-`)).map(([, text]) => text);

describe('the templates of each stage', () => {
  it('have nothing that cfn-lint finds', () => {
    // The API's is the largest by far, and the same but for names: production has all that there is.
    const linted = [...templates].filter(([name]) => !/^(?:dev|staging)-api$/.test(name));
    const files = linted.map(([name, text]) => {
      const file = join(folder, `${name}.template.json`);
      writeFileSync(file, text);
      return file;
    });
    // The CDK names a role's dependency twice, and that harms nothing.
    const { status, stdout, stderr } = spawnSync(lint, ['--ignore-checks', 'W3005', '--', ...files], {
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  }, 600_000);

  it('are what the command of docs/operations-aws.md makes, with nothing that cdk-nag finds', () => {
    const context = Object.entries(stages['production'] ?? {}).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const args = ['cdk', 'synth', '-q', '--output', join(folder, 'cdk.out'), ...context];
    const env = { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' };
    const { status, stderr } = spawnSync('npx', args, { cwd: root, env, encoding: 'utf8' });
    expect([
      status,
      stderr.replace(/^(?:Successfully synthesized|Supply a stack id).*$/gm, '').trim(),
    ]).toEqual([0, '']);
  }, 900_000);

  it('keep our rules, a stage that is thrown away all but those by which things are kept', () => {
    expect(broken(ofStage('staging'))).toEqual([]);
    expect(broken(ofStage('production'))).toEqual([]);
    expect(broken(ofStage('dev'))).toEqual(['KEYS_ARE_KEPT', 'TABLES_ARE_KEPT']);
  });
});

describe('a rule is seen to fail', () => {
  type Damage = (resource: Resource) => void;
  const set =
    (path: string, value: Json): Damage =>
    (resource) => {
      const names = path.split('.');
      const last = names.pop() ?? '';
      let at: unknown = resource;
      for (const name of names) at = (at as Record<string, unknown>)[name];
      (at as Record<string, unknown>)[last] = value;
    };
  const drop =
    (name: string): Damage =>
    (resource) => {
      delete resource.Properties[name];
    };
  const statement =
    (more: Readonly<Record<string, Json>>): Damage =>
    ({ Properties }) => {
      const { Statement } = z.object({ Statement: z.array(z.json()) }).parse(Properties['PolicyDocument']);
      Properties['PolicyDocument'] = { Statement: [...Statement, { Effect: 'Allow', ...more }] };
    };
  const P = 'Properties';

  const damages: readonly [rule: string, stack: string, type: string, id: RegExp, damage: Damage][] = [
    ['TABLES_ARE_KEPT', 'storage', 'DynamoDB::Table', /./, set('DeletionPolicy', 'Delete')],
    ['TABLES_ARE_KEPT', 'storage', 'DynamoDB::Table', /./, drop('DeletionProtectionEnabled')],
    ['TABLES_ARE_KEPT', 'storage', 'DynamoDB::Table', /./, drop('PointInTimeRecoverySpecification')],
    ['TABLES_ARE_SEALED_BY_A_KEY_OF_THEIR_OWN', 'storage', 'DynamoDB::Table', /./, drop('SSESpecification')],
    ['KEYS_ARE_KEPT', 'storage', 'KMS::Key', /^DataKey/, set(`${P}.PendingWindowInDays`, 7)],
    ['SYMMETRIC_KEYS_ROTATE', 'storage', 'KMS::Key', /^DataKey/, drop('EnableKeyRotation')],
    ['BUCKETS_ARE_PRIVATE_AND_ENCRYPTED', 'storage', 'S3::Bucket', /./, drop('BucketEncryption')],
    [
      'BUCKETS_ARE_PRIVATE_AND_ENCRYPTED',
      'console',
      'S3::Bucket',
      /./,
      drop('PublicAccessBlockConfiguration'),
    ],
    ['CHECKPOINTS_ARE_LOCKED', 'storage', 'S3::Bucket', /./, drop('ObjectLockConfiguration')],
    ['QUEUES_ARE_ENCRYPTED_AND_KEEP', 'background', 'SQS::Queue', /./, drop('SqsManagedSseEnabled')],
    [
      'SCHEDULES_LOSE_NOTHING',
      'background',
      'Scheduler::Schedule',
      /./,
      set(`${P}.Target.DeadLetterConfig`, {}),
    ],
    ['STREAMS_LOSE_NOTHING', 'background', 'Lambda::EventSourceMapping', /./, drop('FunctionResponseTypes')],
    ['STREAMS_LOSE_NOTHING', 'background', 'Lambda::EventSourceMapping', /./, drop('DestinationConfig')],
    ['FUNCTIONS_RUN_ALIKE', 'api', 'Lambda::Function', /^resolve/, set(`${P}.Runtime`, 'nodejs20.x')],
    ['FUNCTIONS_RUN_ALIKE', 'api', 'Lambda::Function', /^resolve/, set(`${P}.Architectures`, ['x86_64'])],
    [
      'SCHEDULED_FUNCTIONS_RUN_ONCE_AT_A_TIME',
      'background',
      'Lambda::Function',
      /^tend/,
      drop('ReservedConcurrentExecutions'),
    ],
    [
      'WHAT_ANYBODY_REACHES_IS_BOUNDED',
      'api',
      'Lambda::Function',
      /^health/,
      drop('ReservedConcurrentExecutions'),
    ],
    ['URLS_ASK_IAM', 'api', 'Lambda::Url', /./, set(`${P}.AuthType`, 'NONE')],
    [
      'NO_ROLE_HAS_KMS_BY_A_WILDCARD',
      'api',
      'IAM::Policy',
      /^createsecret/,
      statement({ Action: ['kms:Gen*'], Resource: 'arn' }),
    ],
    [
      'NO_ROLE_HAS_KMS_BY_A_WILDCARD',
      'api',
      'IAM::Policy',
      /^health/,
      statement({ Action: '*', Resource: 'arn' }),
    ],
    [
      'ONLY_TRACING_AND_INVALIDATIONS_HAVE_EVERY_RESOURCE',
      'api',
      'IAM::Policy',
      /^health/,
      statement({ Action: ['kms:Decrypt'], Resource: '*' }),
    ],
    ['LOGS_END', 'api', 'Logs::LogGroup', /^health/, drop('RetentionInDays')],
    [
      'STAGES_ARE_THROTTLED_AND_LOG_NO_PAYLOAD',
      'api',
      'ApiGatewayV2::Stage',
      /./,
      set(`${P}.DefaultRouteSettings.DataTraceEnabled`, true),
    ],
    [
      'STAGES_ARE_THROTTLED_AND_LOG_NO_PAYLOAD',
      'api',
      'ApiGatewayV2::Stage',
      /./,
      set(`${P}.AccessLogSettings.Format`, '$context.authorizer.identity'),
    ],
    ['ROUTES_ASK_WHO_CALLS', 'api', 'ApiGatewayV2::Route', /secrets/, set(`${P}.AuthorizationType`, 'NONE')],
  ];

  it.each(damages)('%s: %s, %s %s', (rule, stack, type, id, damage) => {
    const damaged = template.parse(JSON.parse(templates.get(`staging-${stack}`) ?? ''));
    const found = Object.entries(damaged.Resources).find(
      ([name, { Type }]) => Type === `AWS::${type}` && id.test(name),
    );
    if (found === undefined) throw new TypeError(`no ${type} is there`);
    damage(found[1]);
    // Of a big template what was damaged is enough.
    const alone = JSON.stringify({ Resources: Object.fromEntries([found]) });
    expect(broken([alone])).toContain(rule);
  });

  it('each of them', () => {
    const all = [...rules.matchAll(/^rule (\w+)/gm)].map(([, name]) => name);
    expect([...new Set(damages.map(([rule]) => rule))].sort()).toEqual(all.sort());
  });
});
