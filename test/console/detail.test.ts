import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditSettled, startServer, type TestServer } from '../testkit/server.ts';
import { openBrowser, openView, signedIn, violationsOf } from './browser.ts';

let server: TestServer;
let browser: Browser;
beforeAll(async () => {
  server = await startServer();
  const fields = { name: 'stripe_key', value: 'not-shown-anywhere', rotation_days: 5 };
  for (const environment of ['staging', 'production'])
    await server.call('POST', '/api/v1/secrets', { ...fields, environment });
  const key = await server.call('POST', '/api/v1/api-keys', { name: 'orchestrator', role: 'runtime' });
  for (const run_id of ['run-of-monday', 'run-of-tuesday']) {
    const run = { pipeline_id: 'invoice-import', environment: 'production', run_id };
    const { run_token } = (await server.call('POST', '/api/v1/runs', run, key.body.api_key)).body;
    await server.call('POST', '/api/v1/resolve', { config: '{{secrets.stripe_key}}' }, run_token);
  }
  await auditSettled(server);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

async function openProduction(page: Page): Promise<void> {
  await openView(page, 'secrets');
  await openCell(page);
}

async function openCell(page: Page): Promise<void> {
  await page.getByRole('gridcell', { name: /never rotated · used/ }).click();
  await page.getByRole('dialog').getByRole('heading', { name: 'History' }).waitFor();
}

test('an environment without a secret that its neighbours have is marked, counted and asked for', async () => {
  const { page, context } = await signedIn(browser, server.url, server.adminKey);
  await openView(page, 'secrets');
  const gap = page.getByRole('gridcell', { name: 'missing' });
  expect(await gap.count()).toBe(1);
  expect(await gap.getAttribute('aria-colindex')).toBe('3');
  expect(await page.getByRole('columnheader').nth(2).textContent()).toBe('development');
  await page.getByRole('button', { name: 'Gaps 1' }).click();
  expect(await page.getByRole('row').count()).toBe(2);
  await context.close();
});

test('a secret tells which pipelines and runs used it, and each run leads to its entries', async () => {
  const { page, context } = await signedIn(browser, server.url, server.adminKey);
  await openProduction(page);
  const uses = page.getByRole('dialog').locator('details', { hasText: 'invoice-import' });
  expect(await uses.textContent()).toContain('2 runs');
  await uses.locator('summary').click();
  expect(await uses.getByRole('link').allTextContents()).toEqual(['run-of-tuesday', 'run-of-monday']);
  await uses.getByRole('link', { name: 'run-of-monday' }).click();
  await page.getByLabel('Run', { exact: true }).waitFor();
  expect(await page.getByLabel('Run', { exact: true }).inputValue()).toBe('run-of-monday');
  await page.getByRole('grid', { name: 'Audit entries' }).getByText('stripe_key').first().waitFor();
  await context.close();
});

test('its reminder says whom it reaches, is acknowledged with a reason, ended and snoozed', async () => {
  const { page, context, said } = await signedIn(browser, server.url, server.adminKey);
  await openProduction(page);
  const drawer = page.getByRole('dialog');
  await drawer.getByText(/is reminded/).waitFor();
  await drawer.getByRole('button', { name: 'Acknowledge…' }).click();
  await page.getByLabel('Why it is not rotated now').fill('The provider is down until Friday');
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Acknowledge', exact: true }).click();
  await drawer.getByText('Acknowledged by').waitFor();
  await drawer.getByText('The provider is down until Friday').waitFor();
  const query = 'scope=org&environment=production';
  const quiet = async () =>
    (await server.call('GET', `/api/v1/secrets/stripe_key?${query}`)).body.reminder.quiet;
  expect(await quiet()).toMatchObject({ kind: 'ack', reason: 'The provider is down until Friday' });
  await drawer.getByRole('button', { name: 'Remind again' }).click();
  await drawer.getByText('Acknowledged by').waitFor({ state: 'detached' });
  expect(await quiet()).toBe(null);
  await drawer.getByRole('button', { name: 'Snooze 7 days' }).click();
  await drawer.getByText('Snoozed by').waitFor();
  expect(await quiet()).toMatchObject({ kind: 'snooze' });
  expect(said).toEqual([]);
  await context.close();
});

test('what was written while the list was being read is not undone by pages from before', async () => {
  const path = '/api/v1/secrets/stripe_key/snooze?scope=org&environment=production';
  expect((await server.call('POST', path, { days: 0 })).status).toBe(200);
  const { page, context } = await signedIn(browser, server.url, server.adminKey);
  await openView(page, 'secrets');
  const read = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  await page.route('**/api/v1/secrets?*', async (route) => {
    const response = await route.fetch();
    const secrets: { environment: string }[] = await response.json();
    read.resolve();
    await released.promise;
    // So that the late page can be seen to have arrived.
    const json = secrets.map((one) => (one.environment === 'staging' ? { ...one, version: 99 } : one));
    await route.fulfill({ response, json });
  });
  await page.getByRole('button', { name: 'Read again' }).click();
  await read.promise;
  await openCell(page);
  await page.getByRole('button', { name: 'Snooze 7 days' }).click();
  await page.getByText('Snoozed by').waitFor();
  released.resolve();
  await page.getByText('v99').waitFor();
  expect(await page.getByText('Snoozed by').count()).toBe(1);
  await context.close();
});

test('an address that names no secret opens the list, and is no way to ask for something else', async () => {
  const { page, context, said, asked } = await signedIn(browser, server.url, server.adminKey);
  for (const thing of ['%E0%A4%A', '..%2Fapi-keys', '%2e%2e/api-keys', 'a%3Fdeleted=true']) {
    await page.goto(`${server.url}/#/keys`);
    await page.goto(`${server.url}/#/secrets/${thing}?scope=org`);
    await page.getByRole('gridcell', { name: 'missing' }).waitFor();
    expect(await page.getByRole('dialog').count(), thing).toBe(0);
    await page.reload();
    await page.getByLabel('API key').waitFor();
    await page.getByLabel('API key').fill(server.adminKey);
    await page.keyboard.press('Enter');
    await page.getByRole('gridcell', { name: 'missing' }).waitFor();
  }
  expect(said).toEqual([]);
  const paths = new Set(asked.map((address) => new URL(address).pathname));
  expect([...paths].filter((path) => path.startsWith('/api/')).sort()).toEqual([
    ...['/api/v1/api-keys', '/api/v1/caller', '/api/v1/secrets'],
  ]);
  await context.close();
});

test('a list that cannot be read says why, and is read when asked again', async () => {
  const { page, context } = await signedIn(browser, server.url, server.adminKey);
  for (const view of ['secrets', 'audit'] as const) {
    await openView(page, view);
    const problem = { status: 500, title: 'Internal error', detail: 'It broke. The log says where.' };
    await page.route('**/api/v1/secrets{,/audit}?*', (route) =>
      route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
    );
    if (view === 'secrets') await page.getByRole('button', { name: 'Read again' }).click();
    else await page.goto(`${server.url}/#/audit?days=30`);
    await page.getByText('It broke. The log says where.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.unroute('**/api/v1/secrets{,/audit}?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.getByRole('row').nth(1).waitFor();
  }
  await context.close();
});
