import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda';
import { services } from '#services';
import { authorizeCaller } from '../shared/callers/authorize-caller.ts';
import type { AuthorizerContext } from '../shared/http/define-handler.ts';

type Result = APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext>;

/**
 * Proves who asks, before every handler. A credential that proves nothing is let through without an identity,
 * and the handler refuses it: API Gateway's own refusal would not be a problem document (docs/adr/0004).
 */
export async function handler({
  headers,
  requestContext,
}: APIGatewayRequestAuthorizerEventV2): Promise<Result> {
  const bearer = /^Bearer +([\x21-\x7e]+)$/i.exec(headers?.['authorization'] ?? '')?.[1];
  if (bearer === undefined) return { isAuthorized: true, context: {} };
  const origin = { request_id: requestContext.requestId, ip_address: requestContext.http.sourceIp || null };
  const identity = await authorizeCaller(services, bearer, origin);
  return { isAuthorized: true, context: identity === null ? {} : { identity: JSON.stringify(identity) } };
}
