import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { FilterPattern, type IFilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type Watched, watchedIn } from './alarms.ts';
import type { ApiStack } from './api.ts';
import type { BackgroundStack } from './background.ts';
import type { BackupStack } from './backup.ts';
import type { Grant } from './grants.ts';
import type { SecretsFunction } from './secrets-function.ts';
import { metricsNamespace, type Settings } from './settings.ts';
import type { StorageStack } from './storage.ts';

export interface WatchProps extends StackProps {
  readonly settings: Settings;
  readonly storage: StorageStack;
  readonly api: ApiStack;
  readonly background: BackgroundStack;
  readonly backup: BackupStack;
}

/** What a key must not undergo unseen. Through CloudTrail, which must record management events here. */
const KEY_CHANGES = ['DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'DisableKeyRotation'];
const USE_KEYS: readonly Grant[] = ['generate-data-key', 'decrypt', 'open-recipients', 'sign', 'public-key'];

/** What functions say by a code in their log, and the metric that counts it. */
const SAID: Readonly<Record<string, readonly (readonly [metricName: string, code: string])[]>> = {
  'record-audit': [['DeniedBursts', 'denied_burst']],
  'checkpoint-audit': [['BrokenChain', 'broken_chain']],
  'verify-organizations': [['BrokenChain', 'broken_chain']],
  'sweep-outbox': [['UnrecordedEvents', 'unrecorded_events']],
};

/** Alarms, and the dashboard of what they look at. Subscribe to the topic to be told. */
export class WatchStack extends Stack {
  readonly #topic: Topic;
  readonly #namespace: string;

  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id, props);
    this.#namespace = metricsNamespace(props.settings);
    this.#topic = new Topic(this, 'Alarms', { enforceSSL: true });
    const { alarmMail } = props.settings;
    if (alarmMail !== undefined) this.#topic.addSubscription(new EmailSubscription(alarmMail));
    this.#countFailures(props);
    this.#watchKeys(props);
    const watched = watchedIn(props);
    for (const one of watched) this.#alarm(one);
    const widgets = watched.map(
      ({ id: title, metric }) => new GraphWidget({ title, left: [metric], width: 8 }),
    );
    new Dashboard(this, 'Dashboard', { widgets: [widgets] });
  }

  #alarm({ id, says, metric, atLeast }: Watched): void {
    const alarm = new Alarm(this, id, {
      metric,
      alarmDescription: says,
      threshold: atLeast,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
  }

  /** Counts lines of the functions' logs: they say what failed, so that it need not be sent a second time. */
  #countFailures({ api, background }: WatchProps): void {
    const usesKeys = ({ grants }: SecretsFunction) => grants.some((grant) => USE_KEYS.includes(grant));
    for (const [entry, made] of [...api.functions, ...background.functions]) {
      if (usesKeys(made))
        this.#count('KeyFailures', entry, made, FilterPattern.stringValue('$.dependency', '=', 'kms'));
      for (const [metricName, code] of SAID[entry] ?? [])
        this.#count(metricName, entry, made, FilterPattern.stringValue('$.code', '=', code));
    }
  }

  #count(
    metricName: string,
    entry: string,
    { logGroup }: SecretsFunction,
    filterPattern: IFilterPattern,
  ): void {
    const metric = { metricNamespace: this.#namespace, metricName, metricValue: '1' };
    new MetricFilter(this, `${metricName} ${entry}`, { ...metric, logGroup, filterPattern });
  }

  /** KMS itself tells of deletions; what people do to a key only CloudTrail tells. */
  #watchKeys({ storage, backup }: WatchProps): void {
    const keys = [...storage.keys, backup.key];
    const target = new SnsTopic(this.#topic);
    new Rule(this, 'KeyChanges', {
      description: 'Somebody disables, deletes or opens a key of FlowMason Secrets',
      targets: [target],
      eventPattern: {
        source: ['aws.kms'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventName: KEY_CHANGES,
          requestParameters: { keyId: keys.flatMap(({ keyArn, keyId }) => [keyArn, keyId]) },
        },
      },
    });
    new Rule(this, 'KeyDeletions', {
      description: 'A key of FlowMason Secrets was deleted',
      targets: [target],
      eventPattern: {
        source: ['aws.kms'],
        detailType: ['KMS CMK Deletion'],
        resources: keys.map(({ keyArn }) => keyArn),
      },
    });
  }
}
