import type { Node } from 'constructs';
import * as z from 'zod';
import { environmentName } from '../../shared/contract/ids.ts';
import { reminderSettings } from './reminder-settings.ts';

const kmsKeyArn = z.string().regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/[^:]+$/, 'must be the ARN of a KMS key');
const flag = z.union([z.boolean(), z.stringbool()]);
const days = (most: number) => z.coerce.number().int().min(1).max(most);

/** What `-c name=value` or `cdk.json` can say. docs/operations-aws.md explains each. */
const settings = z
  .object({
    /** The first part of every stack's name. */
    prefix: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/)
      .default('flowmason-secrets'),
    /** The second part, so that one account holds several. */
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,15}$/)
      .default('production'),
    environments: z
      .string()
      .default('development,staging,production')
      .transform((list) => list.split(','))
      .pipe(z.array(environmentName).min(1)),
    /** Keep what is stored when the stacks go; `false` for a stage that is thrown away with all that it holds. */
    retain: flag.default(true),
    /** How long a checkpoint can be neither changed nor deleted, by anybody. */
    checkpointDays: days(3650).default(365),
    /** A recovery key elsewhere, best in another account; without it the storage stack makes one. */
    recoveryKeyArn: kmsKeyArn.optional(),
    /** How long a backup is kept, and can be deleted by nobody. */
    backupDays: z.coerce.number().int().min(7).max(3650).default(35),
    /** A vault of another account or region, to which each backup is copied. */
    backupCopyVaultArn: z
      .string()
      .regex(/^arn:[^:]+:backup:[^:]+:\d{12}:backup-vault:.+$/)
      .optional(),
    /** The name that the API answers to, with its certificate of ACM in this region. */
    domainName: z.hostname().optional(),
    certificateArn: z.string().startsWith('arn:').optional(),
    /** `false` leaves the web console's stack out. */
    console: flag.default(true),
    /** The console's own name, with its certificate of ACM in us-east-1, where CloudFront looks for it. */
    consoleDomainName: z.hostname().optional(),
    consoleCertificateArn: z
      .string()
      .regex(/^arn:[^:]+:acm:us-east-1:/, 'must be the ARN of a certificate in us-east-1')
      .optional(),
    /** Where the web console is served, as browsers say it: `https://console.example.com`. */
    consoleOrigin: z.url({ protocol: /^https$/ }).optional(),
    /** Whom reminders reach: JSON, as infra/aws/reminder-settings.ts has it. */
    reminders: z
      .string()
      .default('{}')
      .transform((text) => JSON.parse(text) as unknown)
      .pipe(reminderSettings),
    /** Whom alarms are mailed to. */
    alarmMail: z.email().optional(),
    /** How many requests at once may be proven. 0 takes no part of the account's concurrency away. */
    authorizeConcurrency: z.coerce.number().int().min(0).default(100),
    /** The same of each function that answers to anybody. */
    publicConcurrency: z.coerce.number().int().min(0).default(10),
    /** Leaves out what emulators of AWS refuse; never for AWS itself. */
    emulated: flag.default(false),
  })
  .refine(({ domainName, certificateArn }) => (domainName === undefined) === (certificateArn === undefined), {
    message: 'domainName and certificateArn go together',
  })
  .refine(
    (given) => (given.consoleDomainName === undefined) === (given.consoleCertificateArn === undefined),
    {
      message: 'consoleDomainName and consoleCertificateArn go together',
    },
  );

export type Settings = z.infer<typeof settings>;

/** Settings by their names, the others as they are by default. @throws ZodError */
export function parseSettings(given: Readonly<Record<string, unknown>>): Settings {
  return settings.parse(given);
}

/** The settings of a CDK app's context. @throws ZodError */
export function readSettings(node: Pick<Node, 'tryGetContext'>): Settings {
  const given = Object.keys(settings.shape).map((name) => [name, node.tryGetContext(name) as unknown]);
  return parseSettings(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
}

/** Where the functions' own metrics are, and those of their logs. */
export function metricsNamespace({ prefix, stage }: Settings): string {
  return `FlowMasonSecrets/${prefix}-${stage}`;
}
