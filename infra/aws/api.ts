import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnStage,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { FunctionUrlAuthType, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { routes } from '../../functions/routes.ts';
import { type Grant, SecretsFunction } from './secrets-function.ts';
import type { StorageStack } from './storage.ts';

export interface ApiProps extends StackProps {
  readonly storage: StorageStack;
  readonly folders: ReadonlyMap<string, string>;
  readonly environments: readonly string[];
}

/** Files below `functions/` that this stack runs. */
export const apiEntries: readonly string[] = [
  ...routes.map(({ name }) => `api/${name}`),
  'authorize',
  'resolve',
];

/** Grants that a route's table row does not say, since only AWS knows buckets of checkpoints. */
const moreGrants: Readonly<Record<string, readonly Grant[]>> = {
  'verify-audit': ['read-checkpoints'],
  'export-audit': ['read-checkpoints'],
  'prove-audit': ['read-checkpoints'],
};

const THROTTLE = { rateLimit: 500, burstLimit: 1000 };
/** Public, so whoever asks for it pays nothing: we do. */
const HEALTH_THROTTLE = { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 10 };

/** The HTTP API, a function for each route, and the resolve function for who invokes it directly. */
export class ApiStack extends Stack {
  readonly api: HttpApi;
  /** Every function, by its file below `functions/`. */
  readonly functions = new Map<string, SecretsFunction>();
  readonly #props: ApiProps;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id, props);
    this.#props = props;
    this.api = new HttpApi(this, 'Api', { createDefaultStage: false, description: 'FlowMason Secrets' });
    this.#addStage();
    const authorizer = new HttpLambdaAuthorizer(
      'Authorizer',
      this.#function('authorize', ['read', 'write', 'public-key']),
      // docs/adr/0004: every request is proven anew, and the unproven are let through to be refused.
      {
        responseTypes: [HttpLambdaResponseType.SIMPLE],
        identitySource: [],
        resultsCacheTtl: Duration.seconds(0),
      },
    );
    for (const route of routes) {
      const handler = this.#function(`api/${route.name}`, [
        ...route.grants,
        // Settings are proven wherever something is recorded.
        'public-key',
        ...(moreGrants[route.name] ?? []),
      ]);
      this.#addRoute(route, handler, route.action === 'public' ? new HttpNoneAuthorizer() : authorizer);
    }
    this.#addResolve();
    new CfnOutput(this, 'ApiId', { value: this.api.apiId });
    new CfnOutput(this, 'Url', { value: this.api.apiEndpoint });
  }

  #addStage(): void {
    const log = new LogGroup(this, 'AccessLog', {
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // What was asked and how it ended; never a header or a body.
    const fields = {
      request_id: '$context.requestId',
      time: '$context.requestTime',
      route: '$context.routeKey',
    };
    const ended = {
      status: '$context.status',
      ip: '$context.identity.sourceIp',
      ms: '$context.responseLatency',
    };
    const stage = this.api.addStage('Stage', {
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        format: AccessLogFormat.custom(JSON.stringify({ ...fields, ...ended })),
      },
    });
    const { defaultChild } = stage.node;
    if (defaultChild instanceof CfnStage)
      defaultChild.addPropertyOverride('RouteSettings', { 'GET /health': HEALTH_THROTTLE });
  }

  #addRoute(
    { name, method, path }: (typeof routes)[number],
    handler: IFunction,
    authorizer: IHttpRouteAuthorizer,
  ): void {
    const integration = new HttpLambdaIntegration(`${name}Integration`, handler);
    this.api.addRoutes({ path, methods: [HttpMethod[method]], integration, authorizer });
  }

  /** For callers whom IAM lets in. The alias tells the function that its caller is the orchestrator. */
  #addResolve(): void {
    const resolve = this.#function('resolve', ['read', 'write', 'decrypt', 'public-key']);
    const orchestrator = resolve.addAlias('orchestrator');
    const url = resolve.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    new CfnOutput(this, 'ResolveFunction', { value: resolve.functionArn });
    new CfnOutput(this, 'OrchestratorAlias', { value: orchestrator.functionArn });
    new CfnOutput(this, 'ResolveUrl', { value: url.url });
  }

  #function(entry: string, grants: readonly Grant[]): SecretsFunction {
    const { storage, folders, environments } = this.#props;
    const folder = folders.get(entry);
    if (folder === undefined) throw new TypeError(`${entry} is not bundled`);
    const made = new SecretsFunction(this, entry.replace('api/', ''), {
      storage,
      folder,
      grants,
      environments,
    });
    this.functions.set(entry, made);
    return made;
  }
}
