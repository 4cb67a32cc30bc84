import { App, Duration } from 'aws-cdk-lib/core';
import * as z from 'zod';
import { environmentName } from '../../shared/contract/ids.ts';
import { ApiStack, apiEntries } from './api.ts';
import { BackgroundStack, backgroundEntries } from './background.ts';
import { bundleFunctions } from './bundle.ts';
import { RemindersStack, reminderEntries, reminderSettings } from './reminders.ts';
import { StorageStack } from './storage.ts';
import { WatchStack } from './watch.ts';

const context = z.object({
  /** Part of every stack's name, so that one account holds several. */
  stage: z.string().regex(/^[a-z][a-z0-9]{0,15}$/),
  environments: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(environmentName).min(1)),
  checkpointDays: z.coerce.number().int().min(1).max(3650),
  recoveryKeyArn: z
    .string()
    .regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/[^:]+$/)
    .optional(),
  /** `false` for a stage that is thrown away with all that it holds. */
  retain: z.union([z.boolean(), z.stringbool()]),
});

/** The AWS deployment: `npx cdk deploy --all`, with `-c stage=…` and what else `context` names. */
const app = new App();
const ask = (name: string, otherwise: unknown) => (app.node.tryGetContext(name) as unknown) ?? otherwise;
const { stage, environments, checkpointDays, recoveryKeyArn, retain } = context.parse({
  stage: ask('stage', 'production'),
  environments: ask('environments', 'development,staging,production'),
  checkpointDays: ask('checkpointDays', 365),
  recoveryKeyArn: ask('recoveryKeyArn', undefined),
  retain: ask('retain', true),
});
const folders = await bundleFunctions([...apiEntries, ...backgroundEntries, ...reminderEntries]);

const name = (part: string) => `flowmason-secrets-${stage}-${part}`;
const storage = new StorageStack(app, name('storage'), {
  checkpointRetention: Duration.days(checkpointDays),
  ...(recoveryKeyArn === undefined ? {} : { recoveryKeyArn }),
  retain,
});
const api = new ApiStack(app, name('api'), { storage, folders, environments });
const background = new BackgroundStack(app, name('background'), { storage, folders, environments });
const settings = reminderSettings.parse(JSON.parse(String(ask('reminders', '{}'))));
new RemindersStack(app, name('reminders'), { storage, folders, environments, settings });
new WatchStack(app, name('watch'), { storage, api, background });
app.synth();
