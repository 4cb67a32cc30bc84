import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import * as z from 'zod';
import { organizationId } from '../../shared/contract/ids.ts';
import { SecretsFunction } from './secrets-function.ts';
import type { StorageStack } from './storage.ts';

/** What `-c reminders='{…}'` says. */
export const reminderSettings = z.strictObject({
  /** A sender that SES has verified in this account and region: then mail goes out as HTML, to each owner. */
  mailFrom: z.email().optional(),
  consoleUrl: z.url({ protocol: /^https$/ }).optional(),
  /** Mail addresses that get an organization's reminders by the topic; each must confirm it once. */
  subscriptions: z.record(organizationId, z.array(z.email())).default({}),
});

export interface RemindersProps extends StackProps {
  readonly storage: StorageStack;
  readonly folders: ReadonlyMap<string, string>;
  readonly environments: readonly string[];
  readonly settings: z.infer<typeof reminderSettings>;
}

const ENTRY = 'remind-rotation';
/** Files below `functions/` that this stack runs. */
export const reminderEntries: readonly string[] = [ENTRY];

/** The check of what is to be rotated, every ten minutes, and the topic that it publishes to. */
export class RemindersStack extends Stack {
  readonly topic: Topic;
  /** Runs of the check that failed for good. What they had claimed waits in the table. */
  readonly failures: Queue;

  constructor(
    scope: Construct,
    id: string,
    { storage, folders, environments, settings, ...props }: RemindersProps,
  ) {
    super(scope, id, props);
    this.topic = new Topic(this, 'Topic', { displayName: 'FlowMason Secrets', enforceSSL: true });
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.#subscribe(settings.subscriptions);
    const remind = new SecretsFunction(this, ENTRY, {
      storage,
      folder: folderOf(folders),
      grants: ['read', 'write', 'generate-data-key', 'decrypt'],
      environments,
      timeout: Duration.minutes(15),
    });
    remind.addEnvironment('FM_REMINDER_TOPIC', this.topic.topicArn);
    if (settings.consoleUrl !== undefined) remind.addEnvironment('FM_CONSOLE_URL', settings.consoleUrl);
    if (settings.mailFrom !== undefined) this.#letSend(remind, settings.mailFrom);
    this.topic.grantPublish(remind);
    new Schedule(this, 'Schedule', {
      schedule: ScheduleExpression.rate(Duration.minutes(10)),
      target: new LambdaInvoke(remind, { deadLetterQueue: this.failures, retryAttempts: 2 }),
    });
    new CfnOutput(this, 'ReminderTopic', { value: this.topic.topicArn });
  }

  /** Each address gets what is published of its organization, and of no other. */
  #subscribe(subscriptions: Readonly<Partial<Record<string, readonly string[]>>>): void {
    for (const [organization, addresses = []] of Object.entries(subscriptions)) {
      const filterPolicy = { organization: SubscriptionFilter.stringFilter({ allowlist: [organization] }) };
      for (const address of addresses)
        this.topic.addSubscription(new EmailSubscription(address, { filterPolicy }));
    }
  }

  /** SES, from this one sender. */
  #letSend(remind: SecretsFunction, mailFrom: string): void {
    remind.addEnvironment('FM_MAIL_FROM', mailFrom);
    const names = [mailFrom, mailFrom.slice(mailFrom.indexOf('@') + 1)];
    const resources = names.map((name) =>
      this.formatArn({ service: 'ses', resource: 'identity', resourceName: name }),
    );
    const conditions = { StringEquals: { 'ses:FromAddress': mailFrom } };
    remind.addToRolePolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: ['ses:SendEmail'], resources, conditions }),
    );
  }
}

function folderOf(folders: ReadonlyMap<string, string>): string {
  const folder = folders.get(ENTRY);
  if (folder === undefined) throw new TypeError(`${ENTRY} is not bundled`);
  return folder;
}
