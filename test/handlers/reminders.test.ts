import { createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { embeddedNotifier } from '../../shared/embedded/notifier.ts';
import type { Network } from '../../shared/http/post-public.ts';
import { isPublicAddress } from '../../shared/http/public-address.ts';
import { NotDelivered } from '../../shared/reminders/notifier.ts';
import { tendSecrets } from '../../shared/rotation/tend-secrets.ts';
import {
  call,
  jsonOf,
  newKey,
  newKeyWithId,
  newOrganization,
  newRun,
  record,
  services,
} from '../testkit/api.ts';
import { type Hook, type HookRequest, startHook } from '../testkit/hook.ts';
import { type Mailbox, parseMail, startMailbox } from '../testkit/mailbox.ts';
import { remindAt, smtpNotifier } from '../testkit/reminders.ts';

// Each checks many secrets, and a busy machine is slow at it.
vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 24 * 60 * 60 * 1000;
const VALUE = 'sk-canary-value-0815';
const inDays = (days: number) => () => new Date(Date.now() + days * DAY_MS);
const outbox = mkdtempSync(join(tmpdir(), 'fm-outbox-'));
afterAll(() => rmSync(outbox, { recursive: true, force: true }));

let organizations = 0;
let org = '';
let admin = '';
beforeEach(async () => {
  organizations += 1;
  org = `acme-${organizations}`;
  admin = await newOrganization(org);
});

async function create(name: string, more: object = {}, as = admin): Promise<void> {
  const body = { name, value: VALUE, rotation_days: 30, description: 'canary-description', ...more };
  expect((await call('create-secret', { as, body })).status).toBe(201);
}

/** Checks at a moment, and gives the mails of this test's organization. */
async function mailsAt(mailbox: Mailbox, days: number) {
  const before = mailbox.mails.length;
  const result = await remindAt(services, inDays(days), { notifier: smtpNotifier(mailbox.url, outbox) });
  const mails = mailbox.mails
    .slice(before)
    .filter(({ headers }) => headers['subject']?.includes(`: secrets of ${org}`));
  return { result, mails };
}

describe('a digest', () => {
  test('goes to the owner by mail, one for all secrets, once for each stage, and says nothing of a value', async () => {
    await using mailbox = await startMailbox();
    const ada = await newKey(admin, { role: 'editor', subject: 'ada@example.com' });
    await create('openai_key', {}, ada);
    await create('db_password', { rotation_days: 20, environment: 'production' }, ada);
    await create(
      'hook',
      { rotation_days: 23, scope: 'pipeline', pipeline_id: 'content', metadata: { owner: 'bob' } },
      ada,
    );
    expect((await mailsAt(mailbox, 1)).mails).toEqual([]);
    const { mails } = await mailsAt(mailbox, 22.5);
    expect(mails.map(({ to }) => to)).toEqual([['ada@example.com']]);
    const [mail] = mails;
    expect(mail?.headers).toMatchObject({
      subject: `1 overdue by 2 days, 1 due in 8 days: secrets of ${org}`,
      from: 'FlowMason <secrets@example.com>',
      'auto-submitted': 'auto-generated',
      'message-id': expect.stringMatching(/^<[0-9a-f-]{36}\.[0-9a-f]{16}@flowmason-secrets>$/),
    });
    expect(mail?.text).toContain('fm secrets rotate db_password --env production');
    expect(mail?.text).toContain('fm secrets rotate openai_key --env none');
    expect(mail?.text.indexOf('db_password')).toBeLessThan(mail?.text.indexOf('openai_key') ?? 0);
    expect(mail?.raw).not.toMatch(/canary|hook/);
    // The same moment again, and a little later: nothing is new.
    expect((await mailsAt(mailbox, 22.5)).mails).toEqual([]);
    expect((await mailsAt(mailbox, 22.9)).mails).toEqual([]);
    expect((await mailsAt(mailbox, 23.5)).mails.map(({ headers }) => headers['subject'])).toEqual([
      `1 overdue by 3 days, 1 due in 7 days: secrets of ${org}`,
    ]);
  });

  test('ends with a rotation, an acknowledgement and a snooze; deleting is an end too', async () => {
    await using mailbox = await startMailbox();
    const ada = await newKey(admin, { role: 'editor', subject: 'ada@example.com' });
    for (const name of ['rotated', 'acked', 'snoozed', 'deleted', 'left']) await create(name, {}, ada);
    const namesAt = async (days: number) =>
      (await mailsAt(mailbox, days)).mails.flatMap(({ text }) =>
        [...text.matchAll(/^Secret: (.*)$/gm)].map(([, name]) => name),
      );
    expect((await namesAt(30.5)).sort()).toEqual(['acked', 'deleted', 'left', 'rotated', 'snoozed']);
    const at = (name: string) => ({ as: admin, params: { name } });
    await call('rotate-secret', { ...at('rotated'), body: { new_value: 'v2' } });
    // It was rotated long before this clock's time, and would be due again.
    await call('update-secret', { ...at('rotated'), body: { rotation_days: 365 } });
    const until = new Date(Date.now() + 50 * DAY_MS).toISOString();
    await call('ack-secret', { ...at('acked'), body: { reason: 'in spring', until } });
    await call('snooze-secret', { ...at('snoozed'), body: { days: 30 } });
    await call('delete-secret', at('deleted'));
    expect(await namesAt(30.9)).toEqual([]);
    expect((await namesAt(32.5)).sort()).toEqual(['left', 'snoozed']);
    expect((await namesAt(51)).sort()).toEqual(['acked', 'left', 'snoozed']);
  });

  test('is the admins’ affair after five weeks; a snooze keeps it from nobody', async () => {
    await using mailbox = await startMailbox();
    await newKey(admin, { role: 'admin', subject: 'boss@example.com' });
    await newKey(admin, { role: 'admin', subject: 'boss@example.com' });
    await newKey(admin, { role: 'admin', subject: 'not-a-mail-address' });
    const gone = await newKeyWithId(admin, { role: 'admin', subject: 'former@example.com' });
    await call('revoke-api-key', { as: admin, params: { id: gone.id } });
    const ada = await newKey(admin, { role: 'editor', subject: 'ada@example.com' });
    await create('forgotten', {}, ada);
    expect((await mailsAt(mailbox, 64.5)).mails.map(({ to }) => to)).toEqual([['ada@example.com']]);
    await call('snooze-secret', { as: ada, params: { name: 'forgotten' }, body: { days: 30 } });
    const { mails } = await mailsAt(mailbox, 65.5);
    expect(mails.map(({ to }) => to)).toEqual([['boss@example.com']]);
    expect(mails[0]?.text).toContain('You get this as an admin.');
    expect((await mailsAt(mailbox, 71)).mails).toEqual([]);
    expect((await mailsAt(mailbox, 72.5)).mails).toHaveLength(1);
  });

  test('goes to whom /notifications names, of what they asked for', async () => {
    await using mailbox = await startMailbox();
    const recipients = [
      { kind: 'email', address: 'team@example.com' },
      { kind: 'email', address: 'late@example.com', states: ['overdue'] },
      { kind: 'email', address: 'bob@example.com', owner: 'bob' },
      { kind: 'email', address: 'Ada@example.com', owner: 'ada@example.com' },
      { kind: 'calendar' },
    ];
    for (const body of recipients) await call('create-notification', { as: admin, body });
    const ada = await newKey(admin, { role: 'editor', subject: 'ada@example.com' });
    await create('late', { rotation_days: 20 }, ada);
    await create('soon', {}, ada);
    const { mails } = await mailsAt(mailbox, 22.5);
    const got = mails.map(
      ({ to, text }) => `${to.join()} ${[...text.matchAll(/^Secret: (.*)$/gm)].map(([, n]) => n).join()}`,
    );
    expect(got.sort()).toEqual([
      // Once, though two rules name her.
      'Ada@example.com late,soon',
      'late@example.com late',
      'team@example.com late,soon',
    ]);
    expect(new Set(mails.map(({ headers }) => headers['message-id'])).size).toBe(3);
  });

  test('never goes to an address that only a label names', async () => {
    await using mailbox = await startMailbox();
    await create('labelled', { metadata: { owner: 'stranger@example.com' } });
    const { mails, result } = await mailsAt(mailbox, 30.5);
    expect(mails).toEqual([]);
    expect(result.failed).toBe(0);
    const kept = readdirSync(outbox).map((file) => readFileSync(join(outbox, file), 'latin1'));
    expect(kept.filter((mail) => mail.includes('labelled'))).toHaveLength(1);
  });
});

describe('what cannot be delivered', () => {
  test('is tried again for those who do not have it, until it is no longer true', async () => {
    await using mailbox = await startMailbox();
    for (const address of ['a@example.com', 'b@example.com', 'c@example.com'])
      await call('create-notification', { as: admin, body: { kind: 'email', address } });
    await create('due');
    mailbox.refuse = ([to]) => {
      if (to === 'b@example.com') return { code: 451, text: 'later' };
      return to === 'c@example.com' ? { code: 550, text: 'nobody of that name' } : null;
    };
    const toOf = async (days: number) => (await mailsAt(mailbox, days)).mails.map(({ to }) => to.join());
    expect(await toOf(30.1)).toEqual(['a@example.com']);
    // Not before its time, and then b alone: c was refused for good.
    expect(await toOf(30.1)).toEqual([]);
    expect(await toOf(30.2)).toEqual([]);
    mailbox.refuse = () => null;
    expect(await toOf(30.3)).toEqual(['b@example.com']);
    expect(await toOf(30.9)).toEqual([]);
    await record();
    const said = await call('query-audit', { as: admin, query: { action: 'remind' } });
    expect(said.text).toContain('1 due today; 2 reached, 1 refused it');
    expect(said.text).toContain('"secret_name":"due"');

    // Down for days: what has passed meanwhile is not sent late.
    mailbox.refuse = () => ({ code: 451, text: 'later' });
    expect(await toOf(31.5)).toEqual([]);
    expect(await toOf(32.5)).toEqual([]);
    mailbox.refuse = () => null;
    const { mails } = await mailsAt(mailbox, 33.5);
    expect(mails.map(({ headers }) => headers['subject'])).toEqual(
      Array(3).fill(`1 overdue by 3 days: secrets of ${org}`),
    );
    expect((await mailsAt(mailbox, 33.9)).mails).toEqual([]);
  });

  test('is not sent after a rotation, though it was claimed before', async () => {
    await using mailbox = await startMailbox();
    await call('create-notification', { as: admin, body: { kind: 'email', address: 'a@example.com' } });
    await create('waits');
    mailbox.refuse = () => ({ code: 451, text: 'later' });
    expect((await mailsAt(mailbox, 30.1)).mails).toEqual([]);
    await call('rotate-secret', { as: admin, params: { name: 'waits' }, body: { new_value: 'v2' } });
    mailbox.refuse = () => null;
    // Its new version was set now, so in this clock's past: it is due again, as version 2.
    await call('snooze-secret', { as: admin, params: { name: 'waits' }, body: { days: 30 } });
    expect((await mailsAt(mailbox, 29)).mails).toEqual([]);
    expect((await mailsAt(mailbox, 31)).mails).toHaveLength(1);
  });

  test('and was answered before it was sent is announced when the answer ends, still in that stage', async () => {
    await using mailbox = await startMailbox();
    await call('create-notification', { as: admin, body: { kind: 'email', address: 'a@example.com' } });
    await create('answered');
    mailbox.refuse = () => ({ code: 451, text: 'later' });
    expect((await mailsAt(mailbox, 37.1)).mails).toEqual([]);
    const until = new Date(Date.now() + 39 * DAY_MS).toISOString();
    await call('ack-secret', { as: admin, params: { name: 'answered' }, body: { reason: 'r', until } });
    mailbox.refuse = () => null;
    expect((await mailsAt(mailbox, 37.5)).mails).toEqual([]);
    expect((await mailsAt(mailbox, 40)).mails).toHaveLength(1);
    expect((await mailsAt(mailbox, 41)).mails).toEqual([]);
  });

  test('after a crash behind a mail that was taken, that one alone may come again, with the same Message-ID', async () => {
    await using mailbox = await startMailbox();
    for (const address of ['a@example.com', 'b@example.com'])
      await call('create-notification', { as: admin, body: { kind: 'email', address } });
    await create('crashed');
    const notifier = smtpNotifier(mailbox.url, outbox);
    const sendMail: typeof notifier.sendMail = async (address, message) => {
      await notifier.sendMail?.(address, message);
      throw new Error('the process ended here');
    };
    const reminders = {
      announced: services.reminders.announced.bind(services.reminders),
      claim: services.reminders.claim.bind(services.reminders),
      waiting: services.reminders.waiting.bind(services.reminders),
      forget: services.reminders.forget.bind(services.reminders),
      recipients: services.reminders.recipients.bind(services.reminders),
      progress: services.reminders.progress.bind(services.reminders),
      saveProgress: services.reminders.saveProgress.bind(services.reminders),
      addRecipient: services.reminders.addRecipient.bind(services.reminders),
      removeRecipient: services.reminders.removeRecipient.bind(services.reminders),
      findCalendar: services.reminders.findCalendar.bind(services.reminders),
      // What a process that has ended can no longer write.
      saveDigest: async () => Promise.reject(new NotDelivered('ended', false)),
    };
    const before = mailbox.mails.length;
    await remindAt(services, inDays(30.1), { reminders, notifier: { ...notifier, sendMail } });
    const mine = () =>
      mailbox.mails.slice(before).filter(({ headers }) => headers['subject']?.endsWith(`secrets of ${org}`));
    expect(mine().length).toBeGreaterThan(0);
    // Its lease holds: another process leaves it alone.
    await remindAt(services, () => new Date(inDays(30.1)().getTime() + 60_000), { notifier });
    const first = mine().map(({ headers, to }) => `${to.join()} ${headers['message-id']}`);
    await remindAt(services, inDays(30.2), { notifier });
    const all = mine().map(({ headers, to }) => `${to.join()} ${headers['message-id']}`);
    expect(new Set(all).size).toBe(2);
    expect(all).toEqual(expect.arrayContaining(first));
    const count = all.length;
    await remindAt(services, inDays(30.3), { notifier });
    expect(mine()).toHaveLength(count);
  });
});

describe('a webhook', () => {
  const network = (hook: Hook, addresses: readonly string[] = ['127.0.0.1']): Network => ({
    resolve: async () => addresses,
    isAllowed: (address) => address === '127.0.0.1' || isPublicAddress(address),
    ca: hook.ca,
  });
  const silent = { sendMail: null, publish: async () => undefined, publishes: 'what nobody gets' as const };
  const notify = async (kind: string, hook: Hook) => {
    const url = `https://hooks.example.com:${hook.port}/${kind}-${org}`;
    return jsonOf(await call('create-notification', { as: admin, body: { kind, url } }));
  };
  const mine = (hook: Hook) => hook.asked.filter(({ path }) => path.endsWith(`-${org}`));

  test('gets a digest that its key proves, once; Slack and Teams get it in their forms', async () => {
    await using hook = await startHook();
    const { signing_key } = await notify('webhook', hook);
    await notify('slack', hook);
    await notify('teams', hook);
    await create('hooked', { environment: 'production' });
    for (const days of [30.1, 30.2])
      await remindAt(services, inDays(days), { notifier: silent }, network(hook));
    const byPath = Object.fromEntries(mine(hook).map((request) => [request.path.split('-')[0], request]));
    expect(mine(hook)).toHaveLength(3);
    const { headers, body } = byPath['/webhook'] as HookRequest;
    const key = Buffer.from(String(signing_key).slice('whsec_'.length), 'base64');
    const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(text).digest('base64')}`,
    );
    expect(JSON.parse(body)).toMatchObject({
      type: 'secrets.due',
      organization: org,
      subject: `1 due today: secrets of ${org}`,
      secrets: [{ name: 'hooked', kind: 'due', command: 'fm secrets rotate hooked --env production' }],
    });
    expect(JSON.parse(byPath['/slack']?.body ?? '')).toEqual({
      text: expect.stringContaining('• *hooked* (production): due today'),
    });
    expect(JSON.parse(byPath['/teams']?.body ?? '')).toMatchObject({
      attachments: [{ content: { type: 'AdaptiveCard' } }],
    });
    for (const request of mine(hook)) expect(request.body).not.toContain('canary');
  });

  test('is asked again after a 500 and with the same id, and never again after a redirect or a refusal', async () => {
    await using hook = await startHook();
    await notify('webhook', hook);
    await create('again');
    const check = (days: number, addresses?: readonly string[]) =>
      remindAt(services, inDays(days), { notifier: silent }, network(hook, addresses));
    hook.respond = (response) => response.writeHead(500).end();
    await check(30.1);
    await check(30.2);
    hook.respond = (response) => response.end();
    await check(30.3);
    await check(30.4);
    expect(mine(hook)).toHaveLength(3);
    expect(new Set(mine(hook).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    hook.respond = (response) =>
      response.writeHead(302, { location: 'https://hooks.example.com/inner' }).end();
    await check(31.1);
    await check(31.2);
    expect(mine(hook)).toHaveLength(4);
    // Its name leads into a private network now: it is not asked.
    await check(32.1, ['10.0.0.1']);
    await check(32.2);
    expect(mine(hook)).toHaveLength(4);
  });
});

describe('also due', () => {
  test('is what somebody set whose key was revoked, unless they have another one', async () => {
    await using mailbox = await startMailbox();
    await call('create-notification', { as: admin, body: { kind: 'email', address: 'team@example.com' } });
    const ada = await newKeyWithId(admin, { role: 'editor', subject: 'ada@example.com' });
    const bob = await newKeyWithId(admin, { role: 'editor', subject: 'bob@example.com' });
    await newKey(admin, { role: 'viewer', subject: 'bob@example.com' });
    for (const name of ['hers', 'hers_rotated', 'hers_by_bob', 'hers_deleted'])
      await create(name, { rotation_days: undefined }, ada.api_key);
    await create('his', { rotation_days: undefined }, bob.api_key);
    await create('set_by_ada', { rotation_days: undefined }, bob.api_key);
    const rotate = (name: string, as: string) =>
      call('rotate-secret', { as, params: { name }, body: { new_value: 'v2' } });
    await rotate('hers_rotated', ada.api_key);
    await rotate('hers_by_bob', bob.api_key);
    await rotate('set_by_ada', ada.api_key);
    await call('delete-secret', { as: admin, params: { name: 'hers_deleted' } });
    for (const { id } of [ada, bob]) await call('revoke-api-key', { as: admin, params: { id } });
    await record();
    const { mails } = await mailsAt(mailbox, 0);
    const names = mails.flatMap(({ text }) => [...text.matchAll(/^Secret: (.*)$/gm)].map(([, name]) => name));
    expect(names.sort()).toEqual(['hers', 'hers_rotated', 'set_by_ada']);
    expect(mails[0]?.text).toContain('the date is from the end of the API key that set it.');
    const described = jsonOf(await call('describe-secret', { as: admin, params: { name: 'hers' } }));
    expect(described).toMatchObject({ reminder: { because: 'key_revoked', owner: 'ada@example.com' } });
    await record();
    const marked = await call('query-audit', { as: admin, query: { action: 'mark_due' } });
    expect(JSON.parse(marked.text)).toHaveLength(3);
    await rotate('hers', admin);
    const rotated = jsonOf(await call('describe-secret', { as: admin, params: { name: 'hers' } }));
    expect(rotated['next_rotation_at']).toBeNull();
    expect((await mailsAt(mailbox, 0)).mails).toEqual([]);
    expect(jsonOf(await call('describe-secret', { as: admin, params: { name: 'hers' } }))).not.toHaveProperty(
      'reminder',
    );
  });

  test('is what a person took out who had not set it, by the credential and not by what a client says', async () => {
    await using mailbox = await startMailbox();
    await call('create-notification', { as: admin, body: { kind: 'email', address: 'team@example.com' } });
    const editor = await newKey(admin, { role: 'editor', subject: 'dan@example.com' });
    const dan = await newKey(admin, { role: 'runtime', subject: 'dan@example.com' });
    const machine = await newKey(admin, { role: 'runtime', subject: 'orchestrator' });
    for (const name of ['taken', 'left', 'by_machine', 'by_run'])
      await create(name, { rotation_days: undefined });
    await create('his_own', { rotation_days: undefined }, editor);
    const take = (as: string, ...names: readonly string[]) => {
      const config = names.map((name) => `{{secrets.${name}}}`);
      return call('resolve-config', { as, body: { config, environment: 'production', pipeline_id: 'p' } });
    };
    expect((await take(dan, 'taken', 'his_own')).status).toBe(200);
    // Whose run it is says who may have what, and not who asked.
    const config = '{{secrets.by_machine}}';
    const asDan = { config, environment: 'production', pipeline_id: 'p', user: 'dan@example.com' };
    expect((await call('resolve-config', { as: machine, body: asDan })).status).toBe(200);
    const { run_token } = await newRun(machine, { pipeline_id: 'p', environment: 'production' });
    const byRun = await call('resolve-config', {
      as: String(run_token),
      body: { config: '{{secrets.by_run}}' },
    });
    expect(byRun.status).toBe(200);
    await record();
    const { mails } = await mailsAt(mailbox, 0);
    const names = mails.flatMap(({ text }) => [...text.matchAll(/^Secret: (.*)$/gm)].map(([, name]) => name));
    expect(names).toEqual(['taken']);
    expect(mails[0]?.text).toContain('the date is from its value in the hands of a person.');
    const described = jsonOf(await call('describe-secret', { as: admin, params: { name: 'taken' } }));
    expect(described).toMatchObject({ reminder: { because: 'exported' } });
    await record();
    const marked = await call('query-audit', { as: admin, query: { action: 'mark_due' } });
    expect(JSON.parse(marked.text)).toMatchObject([{ reason: 'dan@example.com took its value out' }]);
    await call('rotate-secret', { as: admin, params: { name: 'taken' }, body: { new_value: 'v2' } });
    expect((await mailsAt(mailbox, 1)).mails).toEqual([]);
  });

  test('is what a rotation failed at, in mails and webhooks, until it is resumed or abandoned', async () => {
    await using mailbox = await startMailbox();
    await call('create-notification', { as: admin, body: { kind: 'email', address: 'team@example.com' } });
    for (const name of ['resumed', 'abandoned', 'tried_dry']) {
      await create(name, { rotation_days: undefined });
      const rotator = { kind: 'https', url: 'https://hooks.example.com/rotate' };
      await call('set-rotator', { as: admin, params: { name }, body: { rotator } });
    }
    const ask = (name: string, action: string, dry_run = false) =>
      call('request-rotation', { as: admin, params: { name }, body: { action, dry_run } });
    await ask('resumed', 'start');
    await ask('abandoned', 'start');
    await ask('tried_dry', 'start', true);
    const nowhere: Network = { resolve: async () => ['10.0.0.1'], isAllowed: isPublicAddress };
    await tendSecrets({ ...services, network: nowhere });
    const namesAt = async (days: number) => {
      const { mails } = await mailsAt(mailbox, days);
      const texts = mails.map(({ text }) => text);
      return {
        mails,
        names: texts.flatMap((text) => [...text.matchAll(/^Secret: (.*)$/gm)].map(([, name]) => name)),
      };
    };
    const first = await namesAt(0.1);
    expect(first.names.sort()).toEqual(['abandoned', 'resumed']);
    expect(first.mails[0]?.headers['subject']).toBe(`2 rotations failed: secrets of ${org}`);
    expect(first.mails[0]?.text).toContain('State: rotation failed at create');
    expect(first.mails[0]?.text).toContain('fm secrets rotation resumed --env none --action resume');
    const described = jsonOf(await call('describe-secret', { as: admin, params: { name: 'resumed' } }));
    expect(described).toMatchObject({ version: 1, reminder: { because: 'rotation_failed' } });
    expect((await ask('abandoned', 'abandon')).status).toBe(200);
    expect((await namesAt(1.1)).names).toEqual(['resumed']);
    expect((await ask('resumed', 'resume')).status).toBe(200);
    expect((await namesAt(2.1)).names).toEqual([]);
    await using hook = await startHook();
    const network = { ...nowhere, ca: hook.ca, resolve: async () => ['127.0.0.1'], isAllowed: () => true };
    const url = `https://hooks.example.com:${hook.port}/failed-${org}`;
    await call('create-notification', { as: admin, body: { kind: 'webhook', url } });
    await tendSecrets({ ...services, network: nowhere });
    await remindAt(services, inDays(0.1), { notifier: smtpNotifier(mailbox.url, outbox) }, network);
    const [post] = hook.asked.filter(({ path }) => path.endsWith(`-${org}`));
    expect(JSON.parse(post?.body ?? '{}')).toMatchObject({
      subject: `1 rotation failed: secrets of ${org}`,
      secrets: [{ name: 'resumed', failed: true, state: 'rotation failed at create' }],
    });
  });

  test('is what a new policy says of secrets that were there before it', async () => {
    await using mailbox = await startMailbox();
    await call('create-notification', { as: admin, body: { kind: 'email', address: 'team@example.com' } });
    const labels = { metadata: { provider: 'openai' }, rotation_days: undefined };
    await create('old', labels);
    await create('other', { ...labels, metadata: { provider: 'other' } });
    expect((await mailsAt(mailbox, 60.5)).mails).toEqual([]);
    const rotation_policies = [{ metadata: { provider: 'openai' }, rotation_days: 60 }];
    await call('update-organization', { as: admin, body: { rotation_policies } });
    const { mails } = await mailsAt(mailbox, 60.5);
    expect(mails.map(({ text }) => text)).toEqual([
      expect.stringContaining('the date is from a policy of the organization.'),
    ]);
    await call('update-organization', { as: admin, body: { rotation_policies: [] } });
    expect((await mailsAt(mailbox, 61.5)).mails).toEqual([]);
    const without = jsonOf(await call('describe-secret', { as: admin, params: { name: 'old' } }));
    expect(without['next_rotation_at']).toBeNull();
  });
});

test('without a mail server a digest is printed in one line, and kept as a private file', async () => {
  await create('kept');
  const folder = join(outbox, 'kept');
  const printed: string[] = [];
  const notifier = embeddedNotifier({
    smtpUrl: undefined,
    from: undefined,
    outbox: folder,
    print: (line) => printed.push(line),
  });
  await remindAt(services, inDays(30.5), { notifier });
  await remindAt(services, inDays(30.6), { notifier });
  const mine = printed.filter((line) => line.includes(`secrets of ${org}.`));
  expect(mine).toEqual([
    expect.stringMatching(/^Reminder: 1 due today: secrets of acme-\d+\. It is kept in .*\.eml\n$/),
  ]);
  const path = /kept in (.*)\n/.exec(mine[0] ?? '')?.[1] ?? '';
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(parseMail([], readFileSync(path, 'latin1')).text).toContain('fm secrets rotate kept --env none');
});
