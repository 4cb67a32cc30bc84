import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reminderSettings } from '../../../infra/aws/reminder-settings.ts';
import { RemindersStack } from '../../../infra/aws/reminders.ts';
import { parseSettings } from '../../../infra/aws/settings.ts';
import { StorageStack } from '../../../infra/aws/storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'fm-stack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function templateOf(reminders: object): Template {
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = () => undefined;');
  const app = new App();
  const settings = parseSettings({ reminders: JSON.stringify(reminders) });
  const storage = new StorageStack(app, 'storage', { settings });
  const folders = new Map([['remind-rotation', folder]]);
  return Template.fromStack(new RemindersStack(app, 'reminders', { storage, folders, settings }));
}

/** Every action that the function's role may do. */
function actionsOf(template: Template): string[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as { Action: string | string[] }[])
    .flatMap(({ Action }) => Action);
}

describe('the stack of reminders', () => {
  let template: Template;
  beforeAll(() => {
    template = templateOf({
      mailFrom: 'secrets@example.com',
      consoleUrl: 'https://secrets.example.com',
      subscriptions: { acme: ['ops@acme.example'], rival: ['a@rival.example', 'b@rival.example'] },
    });
  }, 60_000);

  test('checks every ten minutes, and keeps the runs that fail in a queue of its own', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(10 minutes)',
      Target: { DeadLetterConfig: { Arn: Match.anyValue() }, RetryPolicy: { MaximumRetryAttempts: 2 } },
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
  });

  test('gives each address what is of its organization', () => {
    const subscriptions = Object.values(template.findResources('AWS::SNS::Subscription'));
    const found = subscriptions.map(({ Properties: { Protocol, Endpoint, FilterPolicy } }) => {
      return [Protocol, Endpoint, FilterPolicy.organization.join()].join(' ');
    });
    expect(found.sort()).toEqual([
      'email a@rival.example rival',
      'email b@rival.example rival',
      'email ops@acme.example acme',
    ]);
  });

  test('lets the function publish, and send from one sender; nothing of it may delete a table or read a parameter', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          FM_MAIL_FROM: 'secrets@example.com',
          FM_CONSOLE_URL: 'https://secrets.example.com',
          FM_REMINDER_TOPIC: { Ref: Match.anyValue() },
        }),
      },
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'ses:SendEmail',
            Condition: { StringEquals: { 'ses:FromAddress': 'secrets@example.com' } },
          }),
        ]),
      },
    });
    const services = new Set(actionsOf(template).map((action) => action.split(':')[0]));
    expect([...services].sort()).toEqual(['dynamodb', 'kms', 'lambda', 'logs', 'ses', 'sns', 'sqs', 'xray']);
    expect(actionsOf(template).filter((action) => action.includes('*'))).toEqual([]);
  });
});

test('without a sender nothing may send mail', () => {
  expect(actionsOf(templateOf({})).filter((action) => action.startsWith('ses:'))).toEqual([]);
}, 60_000);

test.each([
  { mailFrom: 'x' },
  { consoleUrl: 'http://a.example' },
  { subscriptions: { 'A B': [] } },
  { other: 1 },
])('refuses %j', (settings) => expect(reminderSettings.safeParse(settings).success).toBe(false));
