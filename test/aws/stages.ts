import type { Template } from 'aws-cdk-lib/assertions';
import { templatesOf } from './template-reader.ts';

/** Deployments as somebody makes them: one that is thrown away, one as it is by default, one with all that there is. */
export const stages: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  dev: { stage: 'dev', retain: false, checkpointDays: 1, backupDays: 7, environments: 'development' },
  staging: { stage: 'staging' },
  production: {
    stage: 'production',
    recoveryKeyArn: 'arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-4000-8000-000000000000',
    backupCopyVaultArn: 'arn:aws:backup:eu-west-1:222222222222:backup-vault:copies',
    domainName: 'secrets.example.com',
    certificateArn: 'arn:aws:acm:us-east-1:111111111111:certificate/one',
    consoleOrigin: 'https://console.example.com',
    alarmMail: 'ops@example.com',
    reminders: JSON.stringify({
      subscriptions: { acme: ['owner@example.com'] },
      mailFrom: 'secrets@example.com',
    }),
  },
};

/** The templates of a stage, by their stacks' last names. */
export function templatesOfStage(name: string): ReadonlyMap<string, Template> {
  return templatesOf(stages[name] ?? {});
}
