import { authenticate } from '../../shared/access/authenticate.ts';
import { createSecretRequest } from '../../shared/contract/secrets.ts';
import { createSecret } from '../../shared/secrets/create-secret.ts';
import type { Services } from '../../shared/services.ts';
import { ACCOUNT, signed } from './deployment.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Stores a secret as of forty days ago, that was to be rotated after thirty: by the use-case, whose clock is another one. */
export async function createOverdue(services: Services, adminKey: string, name: string): Promise<void> {
  const origin = { request_id: 'long-ago', ip_address: null, idempotency: null };
  const caller = { ...(await authenticate(services, adminKey)), ...origin };
  const needs = { ...services, now: () => new Date(Date.now() - 40 * DAY_MS) };
  const request = { name, value: 'canary-overdue', environment: 'production', rotation_days: 30 };
  await createSecret(needs, caller, createSecretRequest.parse(request));
}

/** A queue that a topic puts an organization's messages into. @returns how to take one out of it */
export async function subscribedQueue(
  topic: string,
  organization: string,
): Promise<{ receive: () => Promise<string | undefined> }> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const ask = async (service: string, parameters: Readonly<Record<string, string>>) => {
    const answer = await signed(service, '/', {
      method: 'POST',
      body: new URLSearchParams(parameters).toString(),
      headers,
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.text();
  };
  const name = 'reminded';
  const arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
  const principal = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' } };
  const statement = { ...principal, Action: 'sqs:SendMessage', Resource: arn };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const attribute = { 'Attribute.1.Name': 'Policy', 'Attribute.1.Value': policy };
  const made = await ask('sqs', { Action: 'CreateQueue', QueueName: name, ...attribute });
  const filter = JSON.stringify({ organization: [organization] });
  await ask('sns', {
    Action: 'Subscribe',
    TopicArn: topic,
    Protocol: 'sqs',
    Endpoint: arn,
    'Attributes.entry.1.key': 'FilterPolicy',
    'Attributes.entry.1.value': filter,
  });
  const queue = /<QueueUrl>([^<]+)</.exec(made)?.[1] ?? '';
  const receive = async () => {
    const text = await ask('sqs', { Action: 'ReceiveMessage', QueueUrl: queue });
    return text.includes('<Body>') ? text : undefined;
  };
  return { receive };
}
