import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { OrganizationId } from '../contract/ids.ts';
import { type Message, NotDelivered } from '../reminders/notifier.ts';
import { Deadline } from './deadline.ts';
import { nameOf } from './failures.ts';

/** SNS takes no more of a subject, and ASCII only. */
const SUBJECT_CHARACTERS = 99;
/** What SES says of this very mail, and not of itself. */
const REFUSALS = ['MessageRejected', 'BadRequestException', 'NotFoundException'];

// This module is loaded by the first message: see lazy-notifier.ts.
const sns = new SNSClient();
const ses = new SESv2Client();

/**
 * Publishes a message to a topic. Its attribute `organization` is what subscriptions filter by.
 * @throws NotDelivered
 */
export async function publishTo(
  topic: string,
  org: OrganizationId,
  { subject, text }: Message,
  client = sns,
): Promise<void> {
  const command = new PublishCommand({
    TopicArn: topic,
    Subject: subject.replace(/[^\x20-\x7e]/g, '?').slice(0, SUBJECT_CHARACTERS),
    Message: text,
    MessageAttributes: { organization: { DataType: 'String', StringValue: org } },
  });
  await send((options) => client.send(command, options), 'the topic took no message');
}

/** Sends a mail by SES. SES gives it a Message-ID of its own; ours is in a header. @throws NotDelivered */
export async function sendBySes(
  from: string,
  address: string,
  { id, subject, text, html }: Message,
  client = ses,
): Promise<void> {
  const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
  const headers = { 'X-FlowMason-Message': id, 'Auto-Submitted': 'auto-generated' };
  const command = new SendEmailCommand({
    FromEmailAddress: from,
    Destination: { ToAddresses: [address] },
    Content: {
      Simple: {
        Subject: utf8(subject),
        Body: { Text: utf8(text), Html: utf8(html) },
        Headers: Object.entries(headers).map(([Name, Value]) => ({ Name, Value })),
      },
    },
  });
  await send((options) => client.send(command, options), 'SES did not take a mail');
}

async function send(
  request: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
  why: string,
): Promise<void> {
  try {
    await request({ abortSignal: new Deadline().signal });
  } catch (error) {
    throw new NotDelivered(why, REFUSALS.includes(nameOf(error)));
  }
}
