/// <reference lib="dom" />

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testSeed } from '../testkit/random.ts';
import { openBrowser, openView, signedIn, views, violationsOf } from './browser.ts';
import { type Story, tellStory } from './story.ts';

declare global {
  var usableAfter: number | undefined;
}

const SECRETS = Number(process.env['FM_TEST_SECRETS'] ?? 2000);
const ENTRIES = Number(process.env['FM_TEST_ENTRIES'] ?? 10_000);

let story: Story;
let browser: Browser;
beforeAll(async () => {
  const seed = testSeed();
  process.stdout.write(`FM_TEST_SEED=${seed}\n`);
  const before = performance.now();
  story = await tellStory(SECRETS, ENTRIES, seed);
  const seconds = Math.round((performance.now() - before) / 1000);
  process.stdout.write(`console: ${SECRETS} secrets and ${ENTRIES} entries were made in ${seconds} s\n`);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await story?.server[Symbol.asyncDispose]();
});

const looks = (['light', 'dark'] as const).flatMap((scheme) => views.map((view) => ({ scheme, view })));

test.each(looks)(
  '$view, $scheme: axe finds nothing, and the browser has nothing to say',
  async ({ scheme, view }) => {
    const { page, context, said, asked } = await signedIn(browser, story.server.url, story.server.adminKey, {
      scheme,
    });
    await openView(page, view);
    expect(await violationsOf(page)).toEqual([]);
    // A log without a checkpoint yet refuses to prove anything, and the browser says so by itself.
    expect(said.filter((line) => !/status of 422/.test(line))).toEqual([]);
    expect(asked.filter((address) => !address.startsWith(story.server.url))).toEqual([]);
    await context.close();
  },
);

test.each([360, 3840])('at a width of %i nothing sticks out of a view', async (width) => {
  const { page, context } = await signedIn(browser, story.server.url, story.server.adminKey, { width });
  for (const view of views) {
    const before = performance.now();
    await openView(page, view);
    const seconds = ((performance.now() - before) / 1000).toFixed(1);
    process.stdout.write(`console: ${view} at a width of ${width} was whole after ${seconds} s\n`);
    expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBe(width);
    expect(await violationsOf(page), view).toEqual([]);
  }
  await context.close();
});

test('by the keyboard alone a secret among all is searched for, opened and left', async () => {
  const { page, context } = await signedIn(browser, story.server.url, story.server.adminKey);
  await page.getByText(/^as of/).waitFor();
  expect(await page.getByRole('row').count()).toBeLessThan(60);
  await page.keyboard.press('/');
  await page.keyboard.type('openai_api_key');
  await page.keyboard.press('Enter');
  for (const key of ['ArrowDown', 'ArrowUp', 'End', 'Home']) await page.keyboard.press(key);
  const grid = page.getByRole('grid');
  const active = await grid.getAttribute('aria-activedescendant');
  expect(await page.locator(`[id="${active}"]`).textContent()).toContain('openai_api_key');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('heading', { name: 'History' }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await grid.evaluate('document.activeElement.getAttribute("role")')).toBe('grid');
  await context.close();
});

test('a stretch of the timeline narrows the table, by its sliders, the mouse and a marked burst; the chain is verified', async () => {
  const { page, context } = await signedIn(browser, story.server.url, story.server.adminKey);
  await openView(page, 'audit', '?outcome=denied&days=30');
  const entries = page.getByRole('grid', { name: 'Audit entries' });
  await page.getByRole('button', { name: 'Show them' }).first().click();
  await expect.poll(() => entries.getAttribute('aria-rowcount')).toBe('31');
  await page.getByRole('slider', { name: 'From' }).press('End');
  await expect.poll(() => page.getByRole('grid').count()).toBe(0);
  // Dragged over with the mouse: the older half of the drawing has the other burst, the whole both.
  const drawing = page.locator('.timeline > svg');
  const { x, y, width, height } = (await drawing.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const marks = await page.locator('.mark').all();
  expect(marks).toHaveLength(2);
  const boxes = await Promise.all(marks.map((mark) => mark.boundingBox()));
  const between = boxes.reduce((sum, box) => sum + (box === null ? 0 : box.x + box.width / 2), 0) / 2;
  await page.mouse.move(x + 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move((x + between) / 2, y + height / 2);
  await page.mouse.move(between, y + height / 2);
  await page.mouse.up();
  await expect.poll(() => entries.getAttribute('aria-rowcount')).toBe('31');
  await drawing.click({ position: { x: width / 2, y: height / 2 } });
  await expect.poll(() => entries.getAttribute('aria-rowcount')).toBe('61');
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText(/records whole/).waitFor({ timeout: 60_000 });
  await context.close();
});

test('a server that does not answer is told of, and read anew when it does', async () => {
  const { page, context } = await signedIn(browser, story.server.url, story.server.adminKey);
  await page.getByText(/^as of/).waitFor();
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Read again' }).click();
  await page.getByText('The server has not answered since').waitFor();
  expect(await page.getByRole('row').count()).toBeGreaterThan(5);
  expect(await violationsOf(page)).toEqual([]);
  await context.setOffline(false);
  await page.getByText('The server has not answered since').waitFor({ state: 'detached', timeout: 60_000 });
  await context.close();
});

test('how soon the first view is usable is measured', async () => {
  const { page, context } = await signedIn(browser, story.server.url, story.server.adminKey);
  await page.evaluate((key) => sessionStorage.setItem('fm.api-key', key), story.server.adminKey);
  await page.addInitScript(() => {
    const since = () =>
      performance.now() -
      (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).responseEnd;
    const seen = new MutationObserver(() => {
      if (!document.querySelector('.matrix .body .row')) return;
      seen.disconnect();
      requestAnimationFrame(() => {
        globalThis.usableAfter = since();
      });
    });
    seen.observe(document, { childList: true, subtree: true });
  });
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    await page.reload();
    await page.waitForFunction(() => globalThis.usableAfter !== undefined);
    times.push(Math.round(await page.evaluate(() => globalThis.usableAfter ?? Number.NaN)));
  }
  process.stdout.write(`console: rows to look at ${times.join(', ')} ms after the page\n`);
  expect(times).toHaveLength(5);
  await context.close();
});
