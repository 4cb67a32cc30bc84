import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testSeed } from '../testkit/random.ts';
import { openBrowser, signedIn, violationsOf } from './browser.ts';
import { type Story, tellStory } from './story.ts';

const SECRETS = Number(process.env['FM_TEST_SECRETS'] ?? 2000);
const ENTRIES = Number(process.env['FM_TEST_ENTRIES'] ?? 10_000);

let story: Story;
let browser: Browser;
beforeAll(async () => {
  const seed = testSeed();
  process.stdout.write(`FM_TEST_SEED=${seed}\n`);
  story = await tellStory(SECRETS, ENTRIES, seed);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await story?.server[Symbol.asyncDispose]();
});

const views = ['secrets', 'rotation', 'audit', 'usage', 'keys'] as const;
const looks = (['light', 'dark'] as const).flatMap((scheme) => views.map((view) => ({ scheme, view })));

test.each(looks)(
  '$view, $scheme: axe finds nothing, and the browser has nothing to say',
  async ({ scheme, view }) => {
    const { page, context, said, asked } = await signedIn(browser, story.server.url, story.server.adminKey, {
      scheme,
    });
    await page.goto(`${story.server.url}/#/${view}`);
    await page.getByRole('link', { name: view, exact: false, includeHidden: false }).first().waitFor();
    await page.waitForLoadState('networkidle');
    expect(await violationsOf(page)).toEqual([]);
    // A log without a checkpoint yet refuses to prove anything, and the browser says so by itself.
    expect(said.filter((line) => !/status of 422/.test(line))).toEqual([]);
    expect(asked.filter((address) => !address.startsWith(story.server.url))).toEqual([]);
    await context.close();
  },
);
