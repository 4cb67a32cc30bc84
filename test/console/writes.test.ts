/// <reference lib="dom" />

import { randomBytes } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from '../testkit/server.ts';
import { cutOff, openBrowser, signedIn, violationsOf } from './browser.ts';

let server: TestServer;
let browser: Browser;
beforeAll(async () => {
  server = await startServer();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

test('the first open explains the two commands; by the keyboard alone a secret is made, rotated, rolled back and deleted, and its value is nowhere in the browser', async () => {
  const first = `canary-${randomBytes(12).toString('hex')}`;
  const second = `canary-${randomBytes(12).toString('hex')}`;
  const { page, context, said, asked } = await signedIn(browser, server.url, server.adminKey);
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const type = async (label: string, text: string) => {
    await page.getByLabel(label, { exact: true }).focus();
    await page.keyboard.type(text);
  };
  const enter = async (name: string | RegExp) => {
    await page.getByRole('button', { name }).last().focus();
    await page.keyboard.press('Enter');
  };
  const noValue = async () => {
    const kept = await page.evaluate(() => {
      const fields = [...document.querySelectorAll<HTMLInputElement>('input, textarea')].map(
        ({ value }) => value,
      );
      const stores = JSON.stringify([
        { ...localStorage },
        { ...sessionStorage },
        history.state,
        location.href,
      ]);
      return [document.documentElement.outerHTML, document.cookie, stores, ...fields].join('\n');
    });
    for (const value of [first, second]) {
      expect(kept).not.toContain(value);
      expect([...said, ...asked].join('\n')).not.toContain(value);
    }
  };

  await page.getByText('npx fm secrets set openai_api_key').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 780 });
  await expect.poll(() => cutOff(page, 'main')).toBe(0);
  await enter('Or store one here');
  await expect.poll(() => cutOff(page, 'dialog .content')).toBe(0);
  await type('Name', 'canary_key');
  await type('Value', first);
  await page.getByText('A value is entered.').waitFor();
  await noValue();
  expect(await violationsOf(page)).toEqual([]);
  await enter('Store it');
  await page.getByRole('heading', { name: 'canary_key' }).waitFor();
  await page.getByRole('heading', { name: 'History' }).waitFor();
  await expect.poll(() => cutOff(page, 'dialog .content')).toBe(0);

  await enter(/^Rotate…/);
  await type('New value', second);
  await type('Reason', 'Scheduled rotation');
  await enter('Rotate');
  await page.getByText('Scheduled rotation').waitFor();
  expect(await violationsOf(page)).toEqual([]);

  await enter(/^Roll back/);
  await type('Type canary_key to confirm', 'canary_key');
  await enter('Bring version 1 back');
  await page.getByText('(the value of v1)').waitFor();
  await noValue();

  await enter('Delete…');
  const last = page.getByRole('button', { name: 'Delete', exact: true });
  expect(await last.isDisabled()).toBe(true);
  await type('Type canary_key to confirm', 'canary_key');
  await last.focus();
  await press('Enter');
  await page.getByText('No secret yet').waitFor();

  const [deleted] = (await server.call('GET', '/api/v1/secrets?deleted=true')).body;
  expect(deleted).toMatchObject({ name: 'canary_key', version: 3 });
  await noValue();
  expect(said).toEqual([]);
  expect(asked.filter((address) => !address.startsWith(`${server.url}/`))).toEqual([]);
  await context.close();
});

test('a paste that is no value is held back, and one that looks like a secret goes into no readable field', async () => {
  const { page, context } = await signedIn(browser, server.url, server.adminKey);
  const paste = (label: string, text: string) =>
    page.getByLabel(label, { exact: true }).evaluate((field, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', pasted);
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, text);
  await page.getByRole('button', { name: /^(New secret|Or store one here)$/ }).click();
  await paste('Value', 'a-pasted-value\n');
  await page.getByText('It begins or ends with a space or a line break.').waitFor();
  await page.getByRole('button', { name: 'Take it off' }).click();
  await paste('Description', 'sk-live-51Habcdefghijklmnop0123456789');
  await page.getByText('It was not pasted.').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('pasted');
  await page.getByRole('button', { name: 'Store it' }).click();
  await page.getByRole('heading', { name: 'pasted' }).waitFor();

  const key = await server.call('POST', '/api/v1/api-keys', { name: 'r', role: 'runtime' });
  const body = { config: '{{secrets.pasted}}', environment: 'staging' };
  const resolved = await server.call('POST', '/api/v1/resolve', body, key.body.api_key);
  expect(resolved.body.config).toBe('a-pasted-value');
  await context.close();
});

test('an API key is shown once, and revoked when its name is typed', async () => {
  const { page, context } = await signedIn(browser, server.url, server.adminKey);
  await page.goto(`${server.url}/#/keys`);
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Name', { exact: true }).fill('made-here');
  await page.getByRole('button', { name: 'Make it' }).click();
  const shown = (await page.locator('dialog code').textContent()) ?? '';
  expect(shown).toMatch(/^fmk_/);
  await page.getByRole('button', { name: 'I have it' }).click();
  expect(await page.content()).not.toContain(shown);
  await page.getByRole('button', { name: 'Revoke made-here' }).click();
  await page.getByLabel('Type made-here to confirm').fill('made-here');
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText(/^revoked /).waitFor();
  expect((await server.call('GET', '/api/v1/caller', undefined, shown)).status).toBe(401);
  await context.close();
});
