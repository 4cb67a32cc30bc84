import type { App } from 'aws-cdk-lib/core';
import { ApiStack, apiFunctions } from './api.ts';
import { BackgroundStack, backgroundFunctions } from './background.ts';
import { BackupStack } from './backup.ts';
import { ConsoleStack } from './console.ts';
import type { Grant } from './grants.ts';
import { RemindersStack, reminderFunctions } from './reminders.ts';
import type { Settings } from './settings.ts';
import { StorageStack } from './storage.ts';
import { WatchStack } from './watch.ts';

/** Files below `functions/` that a deployment runs, with what they may. */
export const deployedFunctions: ReadonlyMap<string, readonly Grant[]> = new Map([
  ...apiFunctions,
  ...backgroundFunctions,
  ...reminderFunctions,
]);

/** Adds the stacks of one deployment, in the order in which a request meets them. */
export function addStacks(app: App, settings: Settings, folders: ReadonlyMap<string, string>): void {
  const name = (part: string) => `${settings.prefix}-${settings.stage}-${part}`;
  const storage = new StorageStack(app, name('storage'), { settings });
  const context = { storage, folders, settings };
  const api = new ApiStack(app, name('api'), context);
  const background = new BackgroundStack(app, name('background'), context);
  new RemindersStack(app, name('reminders'), context);
  // No emulator here knows CloudFront.
  if (settings.console && !settings.emulated)
    new ConsoleStack(app, name('console'), { apiHost: api.host, settings });
  const backup = new BackupStack(app, name('backup'), { storage, settings });
  new WatchStack(app, name('watch'), { settings, storage, backup, api, background });
}
