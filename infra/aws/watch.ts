import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Duration, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { ApiStack } from './api.ts';
import type { BackgroundStack } from './background.ts';
import type { StorageStack } from './storage.ts';

export interface WatchProps extends StackProps {
  readonly storage: StorageStack;
  readonly api: ApiStack;
  readonly background: BackgroundStack;
}

interface Watched {
  readonly id: string;
  readonly says: string;
  readonly metric: IMetric;
  readonly atLeast: number;
}

const MINUTES = { period: Duration.minutes(5) };

/** Alarms, and the dashboard of what they look at. Subscribe to the topic to be told. */
export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id, props);
    const topic = new Topic(this, 'Alarms', { enforceSSL: true });
    const watched = watchedIn(props);
    for (const { id: name, says, metric, atLeast } of watched) {
      const alarm = new Alarm(this, name, {
        metric,
        alarmDescription: says,
        threshold: atLeast,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(new SnsAction(topic));
    }
    new Dashboard(this, 'Dashboard', {
      widgets: [watched.map(({ id: title, metric }) => new GraphWidget({ title, left: [metric], width: 8 }))],
    });
  }
}

function watchedIn({ storage, api, background }: WatchProps): Watched[] {
  const { recorder, failures } = background;
  return [
    {
      id: 'AuditLag',
      says: 'Events wait for their place in the audit log. Look at the log of record-audit.',
      metric: recorder.metric('IteratorAge', { ...MINUTES, statistic: 'Maximum' }),
      atLeast: Duration.minutes(5).toMilliseconds(),
    },
    {
      id: 'LostEvents',
      says: 'Events could not be recorded, or a schedule failed. They are in the failure queue.',
      metric: failures.metricApproximateNumberOfMessagesVisible({ ...MINUTES, statistic: 'Maximum' }),
      atLeast: 1,
    },
    {
      id: 'RecorderErrors',
      says: 'record-audit fails.',
      metric: recorder.metricErrors(MINUTES),
      atLeast: 5,
    },
    {
      id: 'ServerErrors',
      says: 'The API answers 5xx: the store or KMS cannot be used, or there is a fault here.',
      metric: api.api.metricServerError({ ...MINUTES, statistic: 'Sum' }),
      atLeast: 5,
    },
    {
      id: 'Refusals',
      says: 'The API refuses many requests: somebody tries keys, or one was revoked that is still in use.',
      metric: api.api.metricClientError({ ...MINUTES, statistic: 'Sum' }),
      atLeast: 500,
    },
    ...['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => ({
      id: name,
      says: 'The table throttles: requests are slow, or answer 503.',
      metric: storage.table.metric(name, { ...MINUTES, statistic: 'Sum' }),
      atLeast: 10,
    })),
  ];
}
