import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { debianProgram } from '../testkit/debian.ts';
import { htmlTexts, lintHtmlMail } from '../testkit/html-mail.ts';
import { type ReceivedMail, startMailbox } from '../testkit/mailbox.ts';
import { auditSettled, eventually, newDataDir, startServer, type TestServer } from '../testkit/server.ts';

// The whole way: a server, a real mail server, and a browser that opens what came.

const VALUE = 'sk-canary-value-0815';
const folder = mkdtempSync(join(tmpdir(), 'fm-mail-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function made(server: TestServer, method: string, path: string, body: object, key?: string) {
  const reply = await server.call(method, `/api/v1${path}`, body, key);
  expect(reply.status, reply.text).toBeLessThan(300);
  return reply.body as Record<string, string>;
}

/** Secrets of somebody whose key is then revoked: they are due at once. */
async function leaveWork(server: TestServer): Promise<void> {
  await made(server, 'POST', '/notifications', { kind: 'email', address: 'team@example.com' });
  const ada = await made(server, 'POST', '/api-keys', {
    name: 'ada',
    role: 'editor',
    subject: 'ada@example.com',
  });
  const secrets = [
    { name: 'openai_api_key' },
    { name: 'db_password', environment: 'production', rotation_days: 90 },
    {
      name: `a_name_of_${'x'.repeat(60)}`,
      scope: 'pipeline',
      pipeline_id: 'content|generator',
      environment: 'staging',
    },
    { name: 'ada-token', scope: 'user', user: 'ada@example.com' },
  ];
  for (const secret of secrets)
    await made(
      server,
      'POST',
      '/secrets',
      { ...secret, value: VALUE, description: 'canary-description' },
      ada['api_key'],
    );
  expect((await server.call('DELETE', `/api/v1/api-keys/${ada['id']}`)).status).toBe(204);
  await auditSettled(server);
}

test('what is due arrives by mail when the server starts, once, and is readable in a browser', async () => {
  await using mailbox = await startMailbox();
  const settings = {
    FM_SMTP_URL: mailbox.url,
    FM_MAIL_FROM: 'FlowMason Secrets <secrets@example.com>',
    FM_CONSOLE_URL: 'https://secrets.example.com',
  };
  const dataDir = newDataDir();
  const first = await startServer(dataDir, settings);
  await leaveWork(first);
  expect(await first.stop('SIGTERM')).toBe(0);
  expect(mailbox.mails).toEqual([]);
  const second = await startServer(dataDir, settings);
  const mail = await eventually(async () => mailbox.mails[0]);
  expect(await second.stop('SIGTERM')).toBe(0);
  await using third = await startServer(dataDir, settings);
  const secret = (await third.call('GET', '/api/v1/secrets/openai_api_key')).body as { reminder: object };
  expect(secret.reminder).toMatchObject({ because: 'key_revoked', owner: 'ada@example.com' });
  // It stops when the check that it starts with has ended.
  expect(await third.stop('SIGTERM'), third.said()).toBe(0);
  expect(mailbox.mails).toHaveLength(1);

  expect(mail.to).toEqual(['team@example.com']);
  expect(mail.headers['subject']).toBe('4 due today: secrets of default');
  expect(mail.raw).not.toMatch(/canary/);
  expect(Buffer.from(mail.raw).toString()).not.toContain(Buffer.from(VALUE).toString('base64').slice(0, 20));
  expectSame(mail);
  expect(lintHtmlMail(mail.html)).toEqual([]);
  look(mail.html);
}, 120_000);

/** Text and HTML say the same, in the same order. */
function expectSame({ text, html }: ReceivedMail): void {
  const columns = ['Secret', 'State', 'Serves', 'Owner'];
  const inText = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => columns.reduce((rest, title) => rest.replace(new RegExp(`^${title}: `), ''), line));
  const inHtml = htmlTexts(html);
  expect(inHtml.slice(1, 1 + columns.length)).toEqual(columns);
  expect([inHtml[0], ...inHtml.slice(1 + columns.length)]).toEqual(inText);
}

/** Opens it in Chromium, with and without its styles; what is drawn can be looked at with FM_TEST_KEEP. */
function look(html: string): void {
  const chromium = debianProgram('chromium', ['chromium']);
  const keep = process.env['FM_TEST_KEEP'] ?? folder;
  const pages = { styled: html, plain: html.replaceAll(/ style="[^"]*"/g, '') };
  expect(widthOf(chromium, html, 640)).toBeLessThanOrEqual(640);
  for (const [name, page] of Object.entries(pages)) {
    const file = join(folder, `${name}.html`);
    writeFileSync(file, page);
    const picture = join(keep, `${name}.png`);
    const profile = join(folder, `profile-${name}`);
    const common = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      `--user-data-dir=${profile}`,
    ];
    const dump = execFileSync(chromium, [...common, '--dump-dom', `file://${file}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // The browser read it as it was written: nothing was moved out of the table, nothing closed by guess.
    expect(htmlTexts(dump.toString())).toEqual(htmlTexts(page));
    execFileSync(
      chromium,
      [...common, `--screenshot=${picture}`, '--window-size=900,900', `file://${file}`],
      { stdio: 'ignore' },
    );
    expect(readFileSync(picture).subarray(1, 4).toString()).toBe('PNG');
    expect(readFileSync(picture).length).toBeGreaterThan(10_000);
  }
  expect(readdirSync(keep).filter((file) => file.endsWith('.png')).length).toBeGreaterThanOrEqual(2);
}

/** How wide a page is in a narrow window: wider than that, and the reader has to scroll sideways. */
function widthOf(chromium: string, html: string, width: number): number {
  const file = join(folder, 'measured.html');
  const script = '<script>document.title = document.documentElement.scrollWidth</script></body>';
  writeFileSync(file, html.replace('</body>', script));
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${join(folder, 'profile-measured')}`,
  ];
  const dump = execFileSync(
    chromium,
    [...options, `--window-size=${width},900`, '--dump-dom', `file://${file}`],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return Number(/<title>(\d+)<\/title>/.exec(dump.toString())?.[1]);
}
