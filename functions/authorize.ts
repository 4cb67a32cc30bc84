import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda';
import { services } from '#services';
import { authenticate } from '../shared/access/authenticate.ts';
import { SecretsError } from '../shared/contract/errors.ts';
import type { AuthorizerContext } from '../shared/http/define-handler.ts';

type Result = APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext>;

/**
 * Proves who asks, before every handler. A credential that proves nothing is let through without an identity,
 * and the handler refuses it: API Gateway's own refusal would not be a problem document (docs/adr/0004).
 */
export async function handler(event: APIGatewayRequestAuthorizerEventV2): Promise<Result> {
  const bearer = /^Bearer +([\x21-\x7e]+)$/i.exec(event.headers?.['authorization'] ?? '')?.[1];
  if (bearer === undefined) return { isAuthorized: true, context: {} };
  try {
    const identity = await authenticate(services, bearer);
    return { isAuthorized: true, context: { identity: JSON.stringify(identity) } };
  } catch (error) {
    if (error instanceof SecretsError && error.code === 'unauthenticated')
      return { isAuthorized: true, context: {} };
    throw error;
  }
}
