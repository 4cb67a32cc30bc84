import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from 'aws-lambda';
import { parseJsonBody } from './input.ts';
import { safeHeaders } from './safe-headers.ts';

/**
 * Whether a function was asked by its URL, and not by a direct invoke, whose event is the caller's own payload. Who
 * invokes it directly can write such an event too, and gains nothing: the body proves itself as that payload does, and
 * whence the event says that it came is not recorded, since it may be made up.
 */
export function isUrlRequest(event: unknown): event is LambdaFunctionURLEvent {
  return typeof event === 'object' && event !== null && 'requestContext' in event && 'headers' in event;
}

/** What a direct invoke would have sent. @throws SecretsError as {@link parseJsonBody} */
export function payloadOf({ headers, body, isBase64Encoded }: LambdaFunctionURLEvent): unknown {
  return parseJsonBody(headers['content-type'], body, isBase64Encoded);
}

/** An answer as the URL gives it out. */
export function urlResponse(answer: object, requestId: string): APIGatewayProxyStructuredResultV2 {
  const headers = { ...safeHeaders, 'content-type': 'application/json', 'x-request-id': requestId };
  return { statusCode: 200, headers, body: JSON.stringify(answer) };
}
