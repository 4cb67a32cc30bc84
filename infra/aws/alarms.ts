import { type IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { metricsNamespace, type Settings } from './settings.ts';
import type { WatchProps } from './watch.ts';

/** Something that somebody should look at. */
export interface Watched {
  readonly id: string;
  /** What it means, and what to do. */
  readonly says: string;
  readonly metric: IMetric;
  readonly atLeast: number;
}

const MINUTES = { period: Duration.minutes(5) };
const SUM = { ...MINUTES, statistic: 'Sum' };
const NEEDED_BY_ALL = ['authorize', 'api/resolve-config', 'resolve'];
const MOST = { ...MINUTES, statistic: 'Maximum' };

/** Everything that is alarmed. */
export function watchedIn(props: WatchProps): readonly Watched[] {
  return [...watchedRequests(props), ...watchedAudit(props), ...watchedStorage(props)];
}

function watchedRequests({ api, settings }: WatchProps): Watched[] {
  return [
    {
      id: 'ServerErrors',
      says: 'The API answers 5xx: the store or KMS cannot be used, or there is a fault here. Look at the functions’ logs.',
      metric: api.api.metricServerError(SUM),
      atLeast: 5,
    },
    {
      id: 'Refusals',
      says: 'The API refuses many requests: somebody tries keys, or one was revoked that is still in use.',
      metric: api.api.metricClientError(SUM),
      atLeast: 500,
    },
    // One alarm for each: what is throttled in one of them is refused for everybody.
    ...[...api.functions]
      .filter(([entry]) => NEEDED_BY_ALL.includes(entry))
      .map(([entry, made]) => ({
        id: `Throttles ${entry}`,
        says: 'A function that every run needs is throttled: raise its concurrency or the account’s quota.',
        metric: made.metricThrottles(SUM),
        atLeast: 1,
      })),
    {
      id: 'Denied',
      says: 'Many requests were denied to callers who are known: fm secrets audit --action denied --days 1',
      metric: own(settings, 'Denied', SUM, 'record-audit'),
      atLeast: 50,
    },
  ];
}

function watchedAudit({ background, settings }: WatchProps): Watched[] {
  const { recorder, failures } = background;
  return [
    {
      id: 'AuditLag',
      says: 'Events wait for their place in the audit log. Look at the log of record-audit.',
      metric: recorder.metric('IteratorAge', MOST),
      atLeast: Duration.minutes(5).toMilliseconds(),
    },
    {
      id: 'AuditDelay',
      says: 'Events reach the audit log late, counted from the request that they are about.',
      metric: own(settings, 'AuditDelay', MOST, 'record-audit'),
      atLeast: Duration.minutes(5).toMilliseconds(),
    },
    {
      id: 'LostEvents',
      says: 'Events could not be recorded, or a schedule failed. They are in the failure queue.',
      metric: failures.metricApproximateNumberOfMessagesVisible(MOST),
      atLeast: 1,
    },
    { id: 'RecorderErrors', says: 'record-audit fails.', metric: recorder.metricErrors(SUM), atLeast: 5 },
    {
      id: 'BrokenChain',
      says: 'An audit log is not what it was: fm secrets audit verify names the first record.',
      metric: own(settings, 'BrokenChain', SUM),
      atLeast: 1,
    },
    {
      id: 'UnrecordedEvents',
      says: 'The stream lost events. The sweep has recorded them; look for why.',
      metric: own(settings, 'UnrecordedEvents', SUM),
      atLeast: 1,
    },
    {
      // An alarm that changes is an event of EventBridge too.
      id: 'DeniedBursts',
      says: 'One credential was refused twenty times within five minutes: the log of record-audit has its id.',
      metric: own(settings, 'DeniedBursts', SUM),
      atLeast: 1,
    },
  ];
}

function watchedStorage({ storage, backup, settings }: WatchProps): Watched[] {
  return [
    ...['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => ({
      id: name,
      says: 'The table throttles: requests are slow, or answer 503.',
      metric: storage.table.metric(name, SUM),
      atLeast: 10,
    })),
    {
      id: 'KeyFailures',
      says: 'KMS refuses or does not answer, for data keys, the recovery key or signatures. The log names the error.',
      metric: own(settings, 'KeyFailures', SUM),
      atLeast: 5,
    },
    {
      id: 'BackupFailures',
      says: 'A backup of the table failed. Look at the jobs of the vault.',
      metric: new Metric({
        namespace: 'AWS/Backup',
        metricName: 'NumberOfBackupJobsFailed',
        dimensionsMap: { BackupVaultName: backup.vault.backupVaultName },
        period: Duration.days(1),
        statistic: 'Sum',
      }),
      atLeast: 1,
    },
  ];
}

/** A metric of ours. Those of Powertools have a service; those that filters find in logs have none. */
function own(settings: Settings, metricName: string, options: typeof SUM, service?: string): Metric {
  const dimensions = service === undefined ? {} : { dimensionsMap: { service } };
  return new Metric({ namespace: metricsNamespace(settings), metricName, ...dimensions, ...options });
}
