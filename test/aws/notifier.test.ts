import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { describe, expect, test } from 'vitest';
import { publishTo, sendBySes } from '../../shared/aws/notifier.ts';
import { organizationId } from '../../shared/contract/ids.ts';
import { NotDelivered } from '../../shared/reminders/notifier.ts';
import { eventually } from '../testkit/server.ts';
import { clientFor, ministack } from './emulators.ts';

const acme = organizationId.parse('acme');
const rival = organizationId.parse('rival');
const message = {
  id: 'digest-1',
  subject: '2 overdue by up to 9 days: secrets of acme – ö',
  text: 'Text ö',
  html: '<p>HTML ö</p>',
};

/** SQS by its query protocol: a client of its own would be a package for one test. */
async function sqs(parameters: Readonly<Record<string, string>>): Promise<string> {
  const { accessKeyId } = clientFor(ministack).credentials;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20270101/us-east-1/sqs/aws4_request`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(ministack, { method: 'POST', headers, body: new URLSearchParams(parameters) });
  return answer.text();
}

describe('SNS', () => {
  test('a subscription gets what is published of its organization, and nothing else', async () => {
    const client = new SNSClient(clientFor(ministack));
    const { TopicArn = '' } = await client.send(new CreateTopicCommand({ Name: `reminders-${Date.now()}` }));
    const queue =
      /<QueueUrl>([^<]+)</.exec(await sqs({ Action: 'CreateQueue', QueueName: `q${Date.now()}` }))?.[1] ?? '';
    const Endpoint = `arn:aws:sqs:us-east-1:${queue.split('/').at(-2)}:${queue.split('/').at(-1)}`;
    const FilterPolicy = JSON.stringify({ organization: ['acme'] });
    await client.send(
      new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { FilterPolicy } }),
    );
    await publishTo(TopicArn, rival, { ...message, text: 'not for acme' }, client);
    await publishTo(TopicArn, acme, { ...message, subject: message.subject.padEnd(200, 'x') }, client);
    const received = await eventually(async () => {
      const text = await sqs({ Action: 'ReceiveMessage', QueueUrl: queue, MaxNumberOfMessages: '10' });
      return text.includes('<Body>') ? text : undefined;
    });
    expect(received).toContain('Text ');
    expect(received).not.toContain('not for acme');
    const subject = /Subject(?:&quot;|"): ?(?:&quot;|")([^&"]*)/.exec(received)?.[1] ?? '';
    expect(subject).toMatch(/^2 overdue by up to 9 days: secrets of acme \? \?x+$/);
    expect(subject.length).toBeLessThan(100);
  });

  test('that refuses is told without the topic’s name, and is tried again', async () => {
    const client = new SNSClient({ ...clientFor('http://127.0.0.1:9'), maxAttempts: 1 });
    const failure = await publishTo('arn:aws:sns:us-east-1:1:secret-name', acme, message, client).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(NotDelivered);
    expect(failure).toMatchObject({ final: false, message: 'the topic took no message' });
  });
});

describe('SES', () => {
  test('sends text and HTML from a sender that it knows, and refuses another one for good', async () => {
    const client = new SESv2Client(clientFor(ministack));
    await client.send(new CreateEmailIdentityCommand({ EmailIdentity: 'secrets@example.com' }));
    await sendBySes('secrets@example.com', 'ada@example.com', message, client);
    const kept = await (await fetch(`${ministack}/_ministack/ses/messages`)).text();
    expect(kept).toContain('ada@example.com');
    const refused = await sendBySes('other@unknown.example', 'ada@example.com', message, client).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(NotDelivered);
    expect(refused).toMatchObject({ final: true, message: 'SES did not take a mail' });
  });
});
