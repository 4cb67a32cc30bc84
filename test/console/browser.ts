import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { debianProgram } from '../testkit/debian.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Starts the Chromium of this machine; Debian's, when there is none. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: debianProgram('chromium', ['chromium']),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

export interface Look {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** A tab, and all that went wrong or left its origin. */
export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors, warnings and everything else that the page said in the browser's log. */
  readonly said: readonly string[];
  /** Addresses that the tab asked for. */
  readonly asked: readonly string[];
}

async function openTab(browser: Browser, url: string, look: Look = {}): Promise<Tab> {
  const { scheme = 'light', width = 1440, height = 900 } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  // A busy machine with a large organization takes its time to be whole.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const said: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(url);
  return { page, context, said, asked };
}

/** A tab with somebody signed in. */
export async function signedIn(browser: Browser, url: string, key: string, look: Look = {}): Promise<Tab> {
  const tab = await openTab(browser, url, look);
  await tab.page.getByLabel('API key').fill(key);
  await tab.page.keyboard.press('Enter');
  await tab.page.getByRole('navigation', { name: 'Views' }).waitFor();
  return tab;
}

export const views = ['secrets', 'rotation', 'audit', 'usage', 'keys'] as const;
export type View = (typeof views)[number];

/** Goes to a view and waits until all that it reads is there. @param search `?days=30`, as its address has it */
export async function openView(page: Page, view: View, search = ''): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/${view}${search}`);
  const main = page.locator(`main.${view}`);
  if (view === 'secrets') await main.getByText(/^as of/).waitFor();
  if (view === 'audit') await main.getByText(/checkpoint/).waitFor();
  if (view === 'usage') await main.locator('.key-uses li, .usage-table').nth(1).waitFor();
  await main.getByRole('row').nth(1).waitFor();
  await main.locator('progress').first().waitFor({ state: 'detached' });
}

/** By how many pixels what a part of the page holds is wider than it. */
export function cutOff(page: Page, part: string): Promise<number> {
  return page
    .locator(part)
    .last()
    .evaluate((element) => element.scrollWidth - element.clientWidth);
}

/** What axe finds wrong, one line each. Run from outside of the page's own policy, which lets no other script in. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<AxeResults> } };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
