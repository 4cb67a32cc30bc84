import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { consoleHeaders } from '../../console/headers.ts';
import { leaveConsoleFindings } from './console-findings.ts';
import type { Settings } from './settings.ts';

export interface ConsoleProps extends StackProps {
  /** The name under which the API answers. */
  readonly apiHost: string;
  readonly settings: Pick<Settings, 'consoleDomainName' | 'consoleCertificateArn'>;
}

const files = join(import.meta.dirname, '../../dist/console');
const HSTS_AGE = Duration.days(365);

/** The console from a bucket that only CloudFront reads, and the API beside it: one origin for the browser. */
export class ConsoleStack extends Stack {
  constructor(scope: Construct, id: string, props: ConsoleProps) {
    super(scope, id, props);
    if (!existsSync(files)) throw new TypeError('The console is not built. Run npm ci.');
    const bucket = new Bucket(this, 'Files', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // Every file of it is made again by a deployment.
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    }) as IBucket; // the CDK's own types do not meet under exactOptionalPropertyTypes
    const api = this.#apiBehavior(props.apiHost);
    const distribution = new Distribution(this, 'Distribution', {
      comment: 'FlowMason Secrets: the console',
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      ...this.#ownName(props.settings),
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy: this.#headers(),
      },
      additionalBehaviors: { '/api/*': api, '/health': api },
    });
    this.#deployFiles(bucket, distribution);
    leaveConsoleFindings(this);
    const { distributionDomainName: target } = distribution;
    new CfnOutput(this, 'ConsoleUrl', { value: `https://${props.settings.consoleDomainName ?? target}` });
    // What a name of its own must be an alias or a CNAME of.
    new CfnOutput(this, 'ConsoleTarget', { value: target });
  }

  #ownName({ consoleDomainName: name, consoleCertificateArn: arn }: ConsoleProps['settings']) {
    if (name === undefined || arn === undefined) return {};
    return {
      domainNames: [name],
      certificate: Certificate.fromCertificateArn(this, 'Certificate', arn),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
    };
  }

  /** Nothing of the API is kept on the way, and what is sent in the clear is refused, not redirected. */
  #apiBehavior(host: string): BehaviorOptions {
    return {
      origin: new HttpOrigin(host, { protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY }),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_ALL,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    };
  }

  /** The headers of the embedded host, sorted into those that CloudFront has a place for and the others. */
  #headers(): ResponseHeadersPolicy {
    const custom = [
      'cross-origin-opener-policy',
      'cross-origin-resource-policy',
      'permissions-policy',
    ] as const;
    return new ResponseHeadersPolicy(this, 'Headers', {
      securityHeadersBehavior: {
        contentSecurityPolicy: {
          contentSecurityPolicy: consoleHeaders['content-security-policy'],
          override: true,
        },
        contentTypeOptions: { override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: HSTS_AGE, override: true },
      },
      customHeadersBehavior: {
        customHeaders: custom.map((header) => ({ header, value: consoleHeaders[header], override: true })),
      },
    });
  }

  /** The page is asked for anew each time; the files that it names carry their content's hash. */
  #deployFiles(bucket: IBucket, distribution: Distribution): void {
    const sources = [Source.asset(files)];
    const named = new BucketDeployment(this, 'NamedFiles', {
      sources,
      destinationBucket: bucket,
      exclude: ['index.html'],
      prune: false,
      cacheControl: [CacheControl.fromString('public, max-age=31536000, immutable')],
    });
    const page = new BucketDeployment(this, 'Page', {
      sources,
      destinationBucket: bucket,
      exclude: ['*'],
      include: ['index.html'],
      prune: false,
      cacheControl: [CacheControl.noCache()],
      distribution,
      distributionPaths: ['/', '/index.html', '/icon.svg'],
    });
    // A page must not name files that are not there yet.
    page.node.addDependency(named);
  }
}
