import { Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

const copier = 'The CDK’s own function copies the files here at each deployment, and runs at no other time.';
const wildcards = [
  ...['Action::s3:GetBucket*', 'Action::s3:GetObject*', 'Action::s3:List*', 'Action::s3:Abort*'],
  ...['Action::s3:DeleteObject*', 'Resource::<Files8E6940B8.Arn>/*', 'Resource::*'],
  'Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*',
];

/** Findings of cdk-nag on the console's stack that are left as they are, each with why. */
const findings: readonly (readonly [id: string, reason: string])[] = [
  [
    'S1',
    'The files are public to whoever opens the page, and hold no secret; the API has its own access log.',
  ],
  ['CFR1', 'Where the people of an organization are is not known here.'],
  [
    'CFR2',
    'The API behind it throttles and refuses by itself; a firewall is the deployer’s choice and bill.',
  ],
  ['CFR3', 'What matters are the requests to the API, and they are in its access log and in the audit log.'],
  ['CFR4', 'CloudFront’s own certificate allows no choice of a protocol; browsers speak TLS 1.3.'],
  ['L1', copier],
  ['IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]', copier],
  ...wildcards.map((what) => [`IAM5[${what}]`, copier] as const),
];

export function leaveConsoleFindings(construct: IConstruct): void {
  for (const [id, reason] of findings)
    Validations.of(construct).acknowledge({ id: `AwsSolutions-${id}`, reason });
}
