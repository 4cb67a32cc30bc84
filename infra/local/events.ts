import type { IncomingMessage } from 'node:http';
import type { APIGatewayRequestAuthorizerEventV2, DynamoDBStreamEvent } from 'aws-lambda';
import type { AuthorizerContext, HttpEvent } from '../../shared/http/define-handler.ts';

/** A request that matched a route. */
export interface Matched {
  readonly requestId: string;
  readonly routeKey: string;
  readonly pathParameters: Record<string, string>;
  readonly path: string;
  readonly query: string;
  readonly body: string | undefined;
}

/** The event that API Gateway (HTTP API, payload 2.0) makes of a request. */
export function httpEvent(
  request: IncomingMessage,
  matched: Matched,
  authorizer: AuthorizerContext,
): HttpEvent {
  const { requestId, routeKey, pathParameters, path, query, body } = matched;
  const headers = joinedHeaders(request);
  const now = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    headers,
    queryStringParameters: query === '' ? {} : Object.fromEntries(new URLSearchParams(query)),
    pathParameters,
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      authorizer: { lambda: authorizer },
      domainName: headers['host'] ?? '',
      domainPrefix: '',
      http: {
        method: request.method ?? 'GET',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  };
}

/** What the authorizer gets of a request, as far as it reads it. */
export function authorizerEvent(
  request: IncomingMessage,
  requestId: string,
): APIGatewayRequestAuthorizerEventV2 {
  const { authorization } = request.headers;
  const headers = authorization === undefined ? {} : { authorization };
  const requestContext = { requestId, http: { sourceIp: request.socket.remoteAddress ?? '' } };
  return { headers, requestContext } as APIGatewayRequestAuthorizerEventV2;
}

/** Waiting events as the records of a DynamoDB stream. */
export function streamEvent(pending: readonly { position: number; event: string }[]): DynamoDBStreamEvent {
  return {
    Records: pending.map(({ position, event }) => ({
      eventName: 'INSERT',
      dynamodb: { SequenceNumber: String(position), NewImage: { event: { S: event } } },
    })),
  };
}

/** Lower-case names, repeated headers joined by a comma, as API Gateway has them. */
function joinedHeaders(request: IncomingMessage): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return joined;
}
