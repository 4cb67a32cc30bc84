import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Grant } from './grants.ts';
import { leaveAsIs } from './reasons.ts';
import { type FunctionContext, SecretsFunction, schedulerRole } from './secrets-function.ts';

export interface RemindersProps extends StackProps, FunctionContext {}

const ENTRY = 'remind-rotation';
/** Files below `functions/` that this stack runs. */
export const reminderFunctions: ReadonlyMap<string, readonly Grant[]> = new Map([
  [ENTRY, ['read', 'write', 'generate-data-key', 'open-recipients', 'notify']],
]);

/** The check of what is to be rotated, every ten minutes, and the topic that it publishes to. */
export class RemindersStack extends Stack {
  readonly topic: Topic;
  /** Runs of the check that failed for good. What they had claimed waits in the table. */
  readonly failures: Queue;

  constructor(scope: Construct, id: string, { storage, folders, settings, ...props }: RemindersProps) {
    super(scope, id, props);
    const { subscriptions, consoleUrl, mailFrom } = settings.reminders;
    this.topic = new Topic(this, 'Topic', { displayName: 'FlowMason Secrets', enforceSSL: true });
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    leaveAsIs(this.failures, 'failureQueue');
    this.#subscribe(subscriptions);
    const context = { storage, folders, settings };
    const grants = reminderFunctions.get(ENTRY) ?? [];
    const limits = { timeout: Duration.minutes(15), concurrency: 1 };
    const remind = new SecretsFunction(this, ENTRY, context, grants, limits);
    remind.addEnvironment('FM_REMINDER_TOPIC', this.topic.topicArn);
    if (consoleUrl !== undefined) remind.addEnvironment('FM_CONSOLE_URL', consoleUrl);
    if (mailFrom !== undefined) this.#letSend(remind, mailFrom);
    this.topic.grantPublish(remind);
    new Schedule(this, 'Schedule', {
      schedule: ScheduleExpression.rate(Duration.minutes(10)),
      target: new LambdaInvoke(remind, {
        deadLetterQueue: this.failures,
        retryAttempts: 2,
        role: schedulerRole(this, remind),
      }),
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
