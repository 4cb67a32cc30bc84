import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  CfnStage,
  CorsHttpMethod,
  DomainName,
  type HttpApi,
  type HttpApiProps,
  type HttpRoute,
  type HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnOutput, Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib/core';
import { routes } from '../../functions/routes.ts';
import type { Settings } from './settings.ts';

type Route = (typeof routes)[number];

/** Requests a second, and at once, of a route. Beyond them API Gateway answers 429, and no function runs. */
function throttleOf({ action, method }: Route): readonly [rate: number, burst: number] {
  switch (action) {
    // Whoever asks for it pays nothing: we do.
    case 'public':
      return [5, 10];
    // Every start of every pipeline.
    case 'resolve':
    case 'check':
    case 'start_run':
    case 'end_run':
      return [500, 1000];
    default:
      return method === 'GET' ? [100, 200] : [50, 100];
  }
}

/** The stage that serves: throttled route by route, and with a log of what was asked and how it ended. */
export function addStage(stack: Stack, api: HttpApi, added: readonly HttpRoute[]): HttpStage {
  const log = new LogGroup(stack, 'AccessLog', {
    retention: RetentionDays.ONE_YEAR,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // Never a header, a query or a body.
  const format = {
    request_id: '$context.requestId',
    time: '$context.requestTime',
    route: '$context.routeKey',
    status: '$context.status',
    ip: '$context.identity.sourceIp',
    ms: '$context.responseLatency',
  };
  const [rateLimit, burstLimit] = [500, 1000];
  const stage = api.addStage('Stage', {
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit, burstLimit },
    accessLogSettings: {
      destination: new LogGroupLogDestination(log),
      format: AccessLogFormat.custom(JSON.stringify(format)),
    },
  });
  // API Gateway refuses limits of a route that does not exist yet.
  stage.node.addDependency(...added);
  const limits = routes.map((route) => {
    const [ThrottlingRateLimit, ThrottlingBurstLimit] = throttleOf(route);
    return [`${route.method} ${route.path}`, { ThrottlingRateLimit, ThrottlingBurstLimit }];
  });
  const { defaultChild } = stage.node;
  if (defaultChild instanceof CfnStage)
    defaultChild.addPropertyOverride('RouteSettings', Object.fromEntries(limits));
  return stage;
}

/** Only the web console's own origin may ask from a browser; without one, none may. */
export function corsOf({ consoleOrigin }: Settings): Pick<HttpApiProps, 'corsPreflight'> {
  if (consoleOrigin === undefined) return {};
  const { GET, POST, PUT, PATCH, DELETE } = CorsHttpMethod;
  return {
    corsPreflight: {
      allowOrigins: [consoleOrigin],
      allowMethods: [GET, POST, PUT, PATCH, DELETE],
      allowHeaders: ['authorization', 'content-type', 'idempotency-key'],
      exposeHeaders: ['link', 'x-request-id', 'retry-after'],
      maxAge: Duration.hours(1),
    },
  };
}

/** Gives the API its own name, when it has one. @returns where the API answers */
export function addDomain(
  stack: Stack,
  api: HttpApi,
  stage: HttpStage,
  { domainName, certificateArn }: Settings,
): string {
  if (domainName === undefined || certificateArn === undefined) return api.apiEndpoint;
  const domain = new DomainName(stack, 'Domain', {
    domainName,
    certificate: Certificate.fromCertificateArn(stack, 'Certificate', certificateArn),
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  new ApiMapping(stack, 'Mapping', { api, domainName: domain, stage });
  // What the name must be an alias or a CNAME of.
  new CfnOutput(stack, 'DomainTarget', { value: domain.regionalDomainName });
  return `https://${domainName}`;
}
